import assert from "node:assert/strict";
import { test } from "node:test";
import { readDuration, showDuration } from "./durations.ts";
import { readMount } from "./mounts.ts";
import { compareKeys } from "./natural-order.ts";
import { toPlain } from "./node.ts";
import { readPort } from "./ports.ts";
import { splitWords } from "./words.ts";

test("M62 short ports", () => {
  const ports = (text: string): unknown => {
    const read = readPort(text);
    return "ports" in read ? read.ports.map(toPlain) : read.reason;
  };
  assert.deepEqual(ports("127.0.0.1:8080:80/udp"), [
    { mode: "ingress", host_ip: "127.0.0.1", target: 80, published: "8080", protocol: "udp" },
  ]);
  assert.deepEqual(ports("[::1]::80"), [{ mode: "ingress", host_ip: "::1", target: 80, protocol: "tcp" }]);
  assert.deepEqual(ports("90-91:80"), [{ mode: "ingress", target: 80, published: "90-91", protocol: "tcp" }]);
  for (const text of ["", "x", "80:", "1-2:3-5", "80/icmp", "1.2.3:80:80", "99999", "5-3", "a:80:80"])
    assert.equal(typeof ports(text), "string", text);
});

test("M66 short mounts", () => {
  const mount = (text: string): unknown => {
    const read = readMount(text);
    return "mount" in read ? toPlain(read.mount) : read.reason;
  };
  assert.deepEqual(mount("./a:/b/../c/:ro,z"), {
    type: "bind",
    source: "./a",
    target: "/c",
    read_only: true,
    bind: { selinux: "z", create_host_path: true },
  });
  assert.deepEqual(mount("data:/d"), { type: "volume", source: "data", target: "/d", volume: {} });
  assert.deepEqual(mount("C:\\x:/d"), { type: "bind", source: "C:\\x", target: "/d", bind: { create_host_path: true } });
  for (const text of ["", ":/a", "aa::b", "aa:/b:ro:rw", "aa:/b:quick"]) assert.equal(typeof mount(text), "string", text);
});

test("M61 commands are split at spaces outside of quotes", () => {
  assert.deepEqual(splitWords(`a  'b c' "d\\"e" f\\ g "" h'i'j`), { words: ["a", "b c", 'd"e', "f g", "", "hij"] });
  assert.deepEqual(splitWords("echo $(date +%s) x"), { words: ["echo", "$(date +%s)", "x"] });
  assert.deepEqual(splitWords("a 2>b"), { words: ["a"], dropped: ">b" });
  for (const text of ["a 'b", 'a "b', "a \\", "a (b)"]) assert.equal(splitWords(text), undefined, text);
});

test("M65 durations are read with days and weeks, and written as Go does", () => {
  assert.equal(readDuration("1w2d3h"), (9 * 24 + 3) * 3_600_000);
  assert.equal(readDuration("soon"), undefined);
  for (const [ms, text] of [
    [0, "0s"],
    [1.5, "1.5ms"],
    [0.0015, "1.5µs"],
    [0.000001, "1ns"],
    [90_000, "1m30s"],
    [3_600_000, "1h0m0s"],
    [1500, "1.5s"],
    [-1000, "-1s"],
  ] as const) {
    assert.equal(showDuration(ms), text);
  }
});

test("M27 keys are sorted with numbers as numbers", () => {
  const sorted = ["", "10", "9", "A1", "a", "a-1", "a.b", "a_1", "a1b", "a01", "a9", "a10", "ab", "b"];
  assert.deepEqual(["a10", "b", "9", "a1b", "", "a_1", "ab", "a9", "a", "A1", "a.b", "10", "a-1", "a01"].toSorted(compareKeys), [
    "",
    "9",
    "10",
    "A1",
    ...sorted.slice(4),
  ]);
});
