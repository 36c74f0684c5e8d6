import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isVarveError } from "../errors/index.ts";
import { digestOfHex } from "../oci/index.ts";
import { describeMount, isMountLayer, readMount } from "./mount-layer.ts";

const digest = digestOfHex("0".repeat(64));

test("R02 what a layer says of its cache mount is what was said when it was packed", () => {
  const facts = fc.record(
    {
      id: fc.string({ maxLength: 100 }),
      seed: fc.constantFrom("sha256:ab", "x"),
      lane: fc.integer({ min: 1, max: 9999 }),
      mode: fc.integer({ min: 0, max: 0o7777 }),
      uid: fc.nat(),
      gid: fc.nat(),
    },
    { requiredKeys: ["id", "mode", "uid", "gid"] },
  );
  fc.assert(
    fc.property(facts, (one) => {
      const descriptor = describeMount(one, { digest, size: 1 });
      assert.ok(isMountLayer(descriptor));
      assert.deepEqual(readMount(descriptor), { ...one });
    }),
  );
});

test("R02 annotations from elsewhere are refused where they describe nothing that can be made", () => {
  for (const wrong of [
    { owner: "root" },
    { owner: "1:-2" },
    { owner: "99999999999:0" },
    { mode: "8" },
    { mode: "77777" },
    { seed: "../x y" },
    { folder: "0" },
    { folder: "../1" },
    { id: "x".repeat(5000) },
  ]) {
    const annotations = Object.entries({ id: "/x", ...wrong }).map(([key, value]) => [`dev.varve.cache-mount.${key}`, value]);
    assert.throws(
      () => readMount({ digest, annotations: Object.fromEntries(annotations) as Record<string, string> }),
      (error) => isVarveError(error) && error.code === "CACHE_MOUNT_INVALID",
    );
  }
  assert.equal(isMountLayer({ annotations: { "org.opencontainers.image.title": "x" } }), false);
});
