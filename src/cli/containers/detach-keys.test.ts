import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { detachFilter, readDetachKeys } from "./detach-keys.ts";
import { readLogTime } from "./log-time.ts";

const folder = mkdtempSync(join(tmpdir(), "varve-keys-"));
after(() => rmSync(folder, { recursive: true }));

/** What goes through, chunk by chunk, and whether the keys were found. */
function type(keys: readonly number[], ...chunks: readonly string[]): readonly [string, boolean] {
  const filter = detachFilter(keys);
  let through = "";
  for (const chunk of chunks) {
    const result = filter(Buffer.from(chunk, "latin1"));
    through += Buffer.from(result.through).toString("latin1");
    if (result.isDetached) return [through, true];
  }
  return [through, false];
}

describe("detach keys", () => {
  test("are those of the flag, of Docker's config.json, or Docker's own", async () => {
    assert.deepEqual(await readDetachKeys(undefined, undefined), [0x10, 0x11]);
    assert.deepEqual(await readDetachKeys("ctrl-a,x,ctrl-\\", undefined), [1, 0x78, 0x1c]);
    writeFileSync(join(folder, "config.json"), '{"detachKeys":"ctrl-e,e"}');
    assert.deepEqual(await readDetachKeys(undefined, folder), [5, 0x65]);
    assert.deepEqual(await readDetachKeys("ctrl-c", folder), [3]);
    for (const wrong of ["ctrl-", "ctrl-?", "ctrl-ab", "ab", "a,", "ä"])
      await assert.rejects(readDetachKeys(wrong, undefined), {
        code: "USAGE",
        message: `invalid detach keys (${wrong}) provided`,
      });
  });

  test("are found wherever they come, also one at a time, and nothing of them goes through", () => {
    assert.deepEqual(type([0x10, 0x11], "abc\x10\x11def"), ["abc", true]);
    assert.deepEqual(type([0x10, 0x11], "abc", "\x10", "\x11"), ["abc", true]);
    assert.deepEqual(type([0x10, 0x11], "\x10\x10\x11"), ["\x10", true]);
  });

  test("that were only begun go through with what follows", () => {
    assert.deepEqual(type([0x10, 0x11], "a\x10", "b\x11"), ["a\x10b\x11", false]);
    assert.deepEqual(type([1, 2, 3], "\x01\x02", "x\x01\x02\x01\x02\x03"), ["\x01\x02x\x01\x02", true]);
  });
});

describe("a moment of logs --since", () => {
  const now = Date.parse("2026-11-21T18:00:00Z");
  const read = (text: string): number => readLogTime("since", text, now);
  test("is a duration before now, seconds since 1970, or a time with up to nine digits", () => {
    assert.equal(read("1m30s"), now - 90_000);
    assert.equal(read("1700000000.25"), 1_700_000_000_250);
    assert.equal(read("2026-11-21T18:00:00Z"), now);
    assert.equal(read("2026-11-21T19:00:00+01:00"), now);
    assert.equal(Math.round((read("2026-11-21T18:00:00.000250000Z") - now) * 1e3), 250);
    assert.equal(read("2026-11-21T18:00"), Date.parse("2026-11-21T18:00:00"));
    assert.equal(read("2026-11-21"), Date.parse("2026-11-21T00:00:00"));
  });
  test("is nothing else", () => {
    for (const wrong of ["bla", "2026-13-01", "21.11.2026"])
      assert.throws(() => read(wrong), {
        code: "USAGE",
        message: `invalid value for "since": failed to parse value as time or duration: "${wrong}"`,
      });
  });
});
