import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { listOlder, olderPath } from "./log-files.ts";
import { readLogs } from "./logs.ts";
import { shiftLogs } from "./rotate-log.ts";
import type { LogLine, LogsOptions } from "./types.ts";

const folder = mkdtempSync(join(tmpdir(), "varve-logs-"));
const path = join(folder, "ctr.log");
after(() => rmSync(folder, { recursive: true }));

const record = (second: number, stream: "stdout" | "stderr", tag: "F" | "P", text: string): string =>
  `2026-11-21T18:00:${String(second).padStart(2, "0")}.123456789+00:00 ${stream} ${tag} ${text}\n`;

async function read(options: LogsOptions = {}): Promise<readonly LogLine[]> {
  const lines: LogLine[] = [];
  for await (const line of readLogs({ path, isOpen: () => false }, options)) lines.push(line);
  return lines;
}

const texts = (lines: readonly LogLine[]): readonly string[] => lines.map(({ data }) => Buffer.from(data).toString());

describe("the log of a container", () => {
  test("parts of a line come as one, each stream for itself, and a last line without an end has none", async () => {
    writeFileSync(
      path,
      [
        record(1, "stdout", "P", "hel"),
        record(1, "stderr", "F", "problem"),
        record(2, "stdout", "F", "lo"),
        record(3, "stdout", "P", "prompt> "),
      ].join(""),
    );
    const lines = await read();
    assert.deepEqual(texts(lines), ["problem\n", "hello\n", "prompt> "]);
    assert.deepEqual(
      lines.map(({ stream }) => stream),
      [2, 1, 1],
    );
    assert.equal(lines[1]?.timestamp, "2026-11-21T18:00:01.123456789Z");
    assert.deepEqual(texts(await read({ stdout: false })), ["problem\n"]);
  });

  test("bytes that are no text, and lines that look like records, come as they were written", async () => {
    const bytes = Buffer.from([0, 255, 128, 13, 27]);
    const looks = "2026-11-21T18:00:01.123456789+00:00 stdout F x";
    writeFileSync(
      path,
      Buffer.concat([
        Buffer.from(record(1, "stdout", "P", "")).subarray(0, -1),
        bytes,
        Buffer.from(`\n${record(2, "stdout", "F", looks)}`),
      ]),
    );
    assert.deepEqual(Buffer.concat((await read()).map(({ data }) => data)), Buffer.concat([bytes, Buffer.from(`${looks}\n`)]));
  });

  test("the tail is counted in lines, over the borders of the blocks that are read", async () => {
    const long = "x".repeat(40_000);
    const all = Array.from({ length: 9 }, (_, index) => `${index} ${long}`);
    writeFileSync(path, all.map((text) => record(1, "stdout", "F", text)).join(""));
    for (let tail = 0; tail <= 10; tail++) {
      const wanted = tail === 0 ? [] : all.slice(-tail).map((text) => `${text}\n`);
      assert.deepEqual(texts(await read({ tail })), wanted, `tail ${tail}`);
    }
    appendFileSync(path, record(2, "stdout", "P", "open"));
    assert.deepEqual(texts(await read({ tail: 2 })), [`${all.at(-1)}\n`, "open"]);
  });

  test("since and until choose by time", async () => {
    writeFileSync(path, [1, 2, 3, 4].map((second) => record(second, "stdout", "F", String(second))).join(""));
    const at = (second: number): number => Date.parse(`2026-11-21T18:00:0${second}Z`);
    assert.deepEqual(texts(await read({ sinceMs: at(2), untilMs: at(4) })), ["2\n", "3\n"]);
  });

  test("who follows sees what is added, also in a file that takes the name, and ends with the container", async () => {
    writeFileSync(path, record(1, "stdout", "F", "first"));
    let isOpen = true;
    const seen: string[] = [];
    for await (const { data } of readLogs({ path, isOpen: () => isOpen }, { follow: true })) {
      seen.push(Buffer.from(data).toString());
      if (seen.length === 1) appendFileSync(path, record(2, "stdout", "F", "second"));
      if (seen.length === 2) {
        writeFileSync(`${path}.new`, record(3, "stdout", "F", "third"));
        renameSync(`${path}.new`, path);
      }
      if (seen.length === 3) {
        appendFileSync(path, record(4, "stderr", "F", "last"));
        isOpen = false;
      }
    }
    assert.deepEqual(seen, ["first\n", "second\n", "third\n", "last\n"]);
  });

  test("a log of several files is one log, and the oldest of them go", async () => {
    rmSync(path);
    const names = Array.from({ length: 12 }, (_, index) => String(index));
    let isOpen = true;
    let written = 0;
    const write = (): void => {
      writeFileSync(path, record(1, "stdout", "F", names[written] ?? ""), { flag: "a" });
      written += 1;
    };
    write();
    const seen: string[] = [];
    for await (const { data } of readLogs({ path, isOpen: () => isOpen }, { follow: true })) {
      seen.push(Buffer.from(data).toString().trim());
      if (seen.length < written) continue;
      // two more files at once, and one that goes on
      for (let files = 0; files < 2 && written < names.length; files += 1) {
        shiftLogs(path, 4);
        write();
      }
      if (written < names.length) write();
      else isOpen = false;
    }
    assert.deepEqual(seen, names);
    const kept = texts(await read()).map((line) => line.trim());
    assert.deepEqual(kept, names.slice(-kept.length));
    assert.ok(kept.length >= 4 && kept.length < names.length, String(kept.length));
    for (let tail = 0; tail <= 7; tail += 1)
      assert.deepEqual(
        texts(await read({ tail })),
        kept.slice(Math.max(0, kept.length - tail)).map((line) => `${line}\n`),
      );
    for (const number of listOlder(path)) rmSync(olderPath(path, number));
  });

  test("a file that is cut off in a record, or not there, is no reason to fail", async () => {
    writeFileSync(path, `${record(1, "stdout", "F", "whole")}2026-11-21T18:00:02.1`);
    assert.deepEqual(texts(await read()), ["whole\n"]);
    rmSync(path);
    assert.deepEqual(await read(), []);
  });
});
