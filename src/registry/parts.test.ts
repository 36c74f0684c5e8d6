import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseReference } from "../oci/index.ts";
import { parseChallenges } from "./challenge.ts";
import { endpointsOf } from "./endpoints.ts";

test("challenges are read with their parameters, several in one header, whatever the letter case", () => {
  const read = (header: string): unknown =>
    parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
  assert.deepEqual(read('Bearer realm="https://auth.example/token",service="a \\"b\\"",scope="repository:x:pull,push"'), [
    ["bearer", { realm: "https://auth.example/token", service: 'a "b"', scope: "repository:x:pull,push" }],
  ]);
  assert.deepEqual(read('BASIC REALM=plain, bearer Realm = "x" , Service=y'), [
    ["basic", { realm: "plain" }],
    ["bearer", { realm: "x", service: "y" }],
  ]);
  assert.deepEqual(read("Basic"), [["basic", {}]]);
  assert.deepEqual(read(""), []);
  fc.assert(fc.property(fc.string({ maxLength: 200 }), (header) => parseChallenges(header).length >= 0));
});

test("W07 a reference leads to its mirrors and its registry, the Docker Hub to the host that serves it", () => {
  const config = {
    "docker.io": { mirrors: ["https://mirror.example/v2/hub/", "localhost:5000"] },
    "mirror.example": { insecure: true },
    "r.example": { http: true },
  };
  const show = (name: string, purpose: "pull" | "push"): string[] =>
    endpointsOf(parseReference(name), config, purpose).map(
      ({ schemes, host, root, mirror }) => `${schemes.join("|")}://${host}${root}${mirror ? " mirror" : ""}`,
    );
  assert.deepEqual(show("alpine", "pull"), [
    "https://mirror.example/v2/hub mirror",
    "http://localhost:5000/v2 mirror",
    "https://registry-1.docker.io/v2",
  ]);
  assert.deepEqual(show("alpine", "push"), ["https://registry-1.docker.io/v2"]);
  assert.deepEqual(show("r.example/app", "pull"), ["http://r.example/v2"]);
  assert.deepEqual(show("[::1]:5000/app", "pull"), ["http://[::1]:5000/v2"]);
  assert.deepEqual(show("127.0.0.1.example.com/app", "pull"), ["https://127.0.0.1.example.com/v2"]);
  assert.throws(() => endpointsOf(parseReference("alpine"), { "docker.io": { mirrors: ["user@host"] } }, "pull"), {
    code: "REGISTRY_CONFIG",
  });
});
