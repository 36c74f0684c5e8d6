import assert from "node:assert/strict";
import { test } from "node:test";
import { detectArchive } from "../../tar/index.ts";
import { formatMetadata, formatWarnings } from "./report.ts";
import { parseExtraHosts, parseNetwork, parsePairs, parseUlimits } from "./values.ts";

test("A18 a bare build argument takes the environment's value, or is not passed", () => {
  const env: Record<string, string> = { A: "1" };
  const pairs = parsePairs(["A", "B", "C=x=y", "D="], { flag: "--build-arg", bare: (key) => env[key] });
  assert.deepEqual({ ...pairs }, { A: "1", C: "x=y", D: "" });
  assert.throws(() => parsePairs(["=x"], { flag: "--build-arg", bare: () => "" }), { code: "USAGE" });
  assert.deepEqual(
    { ...parsePairs(["__proto__=x"], { flag: "--label", bare: () => "" }) },
    Object.fromEntries([["__proto__", "x"]]),
  );
});

test("B01 hosts have names and addresses", () => {
  assert.deepEqual(parseExtraHosts(["a:1.2.3.4", "b=[::1]", "c:::1", "d=1.1.1.1,2.2.2.2"]), [
    { host: "a", ip: "1.2.3.4" },
    { host: "b", ip: "::1" },
    { host: "c", ip: "::1" },
    { host: "d", ip: "1.1.1.1" },
    { host: "d", ip: "2.2.2.2" },
  ]);
  for (const bad of ["a", "a:", ":1.2.3.4", "a:b"]) assert.throws(() => parseExtraHosts([bad]), { code: "USAGE" }, bad);
  assert.throws(() => parseExtraHosts(["a:host-gateway"]), { code: "NOT_SUPPORTED_YET" });
});

test("B29 ulimits have a soft and a hard limit", () => {
  assert.deepEqual(parseUlimits(["nofile=1024", "core=0:-1"]), [
    { name: "nofile", soft: 1024, hard: 1024 },
    { name: "core", soft: 0, hard: -1 },
  ]);
  for (const bad of ["nofile", "files=1", "nofile=2:1", "nofile=-1:5", "nofile=x"])
    assert.throws(() => parseUlimits([bad]), { code: "USAGE" }, bad);
});

test("B17 there are three kinds of network", () => {
  assert.equal(parseNetwork(undefined), "default");
  assert.equal(parseNetwork("host"), "host");
  assert.throws(() => parseNetwork("bridge"), { code: "USAGE" });
});

test("X02 what stdin holds is told by its first bytes", () => {
  const header = Buffer.alloc(512);
  header.write("Dockerfile", 0);
  let sum = 8 * 0x20;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  assert.equal(detectArchive(header), "tar");
  header[0] = 0x45;
  assert.equal(detectArchive(header), undefined);
  assert.equal(detectArchive(Buffer.alloc(1024)), "tar");
  assert.equal(detectArchive(Buffer.from([0x1f, 0x8b, 8, 0])), "gzip");
  assert.equal(detectArchive(Buffer.from([0x28, 0xb5, 0x2f, 0xfd])), "zstd");
  assert.equal(detectArchive(Buffer.from("BZh9")), "bzip2");
  assert.equal(detectArchive(Buffer.from("FROM scratch\n")), undefined);
  assert.equal(detectArchive(Buffer.alloc(0)), undefined);
});

test("B11 U09 warnings are counted and listed", () => {
  const where = { file: "Dockerfile", startLine: 2, startColumn: 1, endLine: 2, endColumn: 5, source: "FROM a\nrun x\n" };
  const warning = {
    type: "warning",
    time: 0,
    rule: "ConsistentCasing",
    message: "mixed",
    where,
    url: "https://example.org/rule",
  } as const;
  const options = { debug: false, colors: false };
  assert.equal(formatWarnings([], options), "");
  assert.equal(
    formatWarnings([warning], options),
    "\n 1 warning found (use varve --debug to expand):\n - ConsistentCasing: mixed (line 2)\n",
  );
  assert.match(
    formatWarnings([warning, warning], { ...options, debug: true }),
    /^\n 2 warnings found:\n[^]*More info: https:\/\/example.org\/rule\nDockerfile:2\n/,
  );
});

test("B16 metadata is JSON with its keys in order", () => {
  assert.equal(formatMetadata({ b: 1, a: { z: 1 } }), '{\n  "a": {\n    "z": 1\n  },\n  "b": 1\n}');
});
