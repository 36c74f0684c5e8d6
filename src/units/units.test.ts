import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDuration, parseSize, readDurationMs } from "./index.ts";

test("I15 durations add up their parts and may have fractions and signs", () => {
  assert.equal(parseDuration("1h30m"), 5_400_000_000_000);
  assert.equal(parseDuration("1.5s"), 1_500_000_000);
  assert.equal(parseDuration(".5ms"), 500_000);
  assert.equal(parseDuration("2us3ns"), 2003);
  assert.equal(parseDuration("2µs"), 2000);
  assert.equal(parseDuration("-3s"), -3_000_000_000);
  assert.equal(parseDuration("0"), 0);
});

test("I15 a duration needs a unit and nothing else around it", () => {
  for (const text of ["", "5", "s", "5 s", "1h ", "1d", "1.s.", "5000000h", "9".repeat(200) + "s"]) {
    assert.equal(parseDuration(text), undefined, text);
  }
});

test("R03 sizes are powers of 1024 with an optional b or ib", () => {
  assert.equal(parseSize("512"), 512);
  assert.equal(parseSize("64m"), 67_108_864);
  assert.equal(parseSize("1.5GiB"), 1_610_612_736);
  assert.equal(parseSize("2 kb"), 2048);
  assert.equal(parseSize("7b"), 7);
});

test("R03 other texts are no sizes", () => {
  for (const text of ["", "m", "-1", "5x", "5bb", "5kx", "5kibs", "5  k", "1,5m"]) assert.equal(parseSize(text), undefined, text);
});

test("a setting's duration is a number of seconds or a text with units", () => {
  for (const [value, ms] of [
    [90, 90_000],
    ["90", 90_000],
    ["1h30m", 5_400_000],
    ["1.5s", 1500],
    [0, 0],
  ] as const) {
    assert.equal(readDurationMs(value), ms, String(value));
  }
  for (const value of ["", "h", "1d", "-1h", -1, Number.NaN, true, undefined]) assert.equal(readDurationMs(value), undefined);
});
