import assert from "node:assert/strict";
import { test } from "node:test";
import { splitCsv } from "./csv.ts";
import { formatAge, formatDuration } from "./durations.ts";
import { formatSize, formatTransferSize, parseSizeFlag } from "./sizes.ts";
import { formatTable, truncate } from "./table.ts";
import { compileTemplate } from "./template.ts";

test("sizes in tables have three significant digits in decimal units", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0B"],
    [999, "999B"],
    [1000, "1kB"],
    [7_049_000, "7.05MB"],
    [12_000, "12kB"],
    [123_456, "123kB"],
    [999_999, "1MB"],
    [1_240_000_000, "1.24GB"],
  ];
  for (const [bytes, text] of cases) assert.equal(formatSize(bytes), text);
});

test("U03 sizes of transfers are whole bytes or have two decimals", () => {
  assert.equal(formatTransferSize(0), "0B");
  assert.equal(formatTransferSize(123), "123B");
  assert.equal(formatTransferSize(1234), "1.23kB");
  assert.equal(formatTransferSize(3_400_000), "3.40MB");
});

test("B29 sizes in flags are binary, with or without b", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["64", 64],
    ["64b", 64],
    ["64m", 64 * 1024 ** 2],
    ["64MB", 64 * 1024 ** 2],
    ["1.5 GiB", 1.5 * 1024 ** 3],
  ];
  for (const [text, bytes] of cases) assert.equal(parseSizeFlag(text, "--shm-size"), bytes, text);
  for (const text of ["", "m", "-1", "1x", "1mbb", "1bb", "0x10"])
    assert.throws(() => parseSizeFlag(text, "--shm-size"), { code: "USAGE" }, text);
});

test("ages are told in Docker's words", () => {
  const second = 1000;
  const hour = 3600 * second;
  const cases: readonly (readonly [number, string])[] = [
    [450, "Less than a second"],
    [second, "1 second"],
    [47 * second, "47 seconds"],
    [60 * second, "About a minute"],
    [3 * 60 * second, "3 minutes"],
    [60 * 60 * second, "About an hour"],
    [3 * hour, "3 hours"],
    [48 * hour, "2 days"],
    [15 * 24 * hour, "2 weeks"],
    [60 * 24 * hour, "2 months"],
    [2 * 365 * 24 * hour, "2 years"],
  ];
  for (const [ms, text] of cases) assert.equal(formatDuration(ms), text);
  assert.equal(formatAge(undefined, 0), "N/A");
  assert.equal(formatAge(5000, 1000), "Less than a second ago");
});

test("tables line up at ten or more, three blanks apart", () => {
  assert.equal(
    formatTable(["A", "LONGER NAME", "C"], [["1", "22", "3"]]),
    "A         LONGER NAME   C\n1         22            3\n",
  );
  assert.equal(truncate("abcdef", 4), "abc…");
});

test("B19 csv fields may be quoted", () => {
  assert.deepEqual(splitCsv('type=oci,"name=a,b",dest=x', "-o"), ["type=oci", "name=a,b", "dest=x"]);
  assert.deepEqual(splitCsv('"a""b",', "-o"), ['a"b', ""]);
  for (const bad of ['"a', 'a"b', '"a"b']) assert.throws(() => splitCsv(bad, "-o"), { code: "USAGE" }, bad);
});

test("templates take fields, paths and json, and refuse the rest", () => {
  const value = { Id: "x", Config: { Env: ["A=1", "B=2"], Labels: { k: "v" } } };
  assert.equal(compileTemplate("{{.Id}}: {{ .Config.Env }}")(value), "x: [A=1 B=2]");
  assert.equal(compileTemplate("{{json .Config.Env}}\\n")(value), '["A=1","B=2"]\n');
  assert.equal(compileTemplate("{{.Config.Labels}}")(value), "map[k:v]");
  assert.equal(compileTemplate("json")(value), JSON.stringify(value));
  assert.throws(() => compileTemplate("{{.Nope}}")(value), { code: "USAGE" });
});
