import assert from "node:assert/strict";
import { test } from "node:test";
import type { BuildEvent, StatusEvent, VertexEvent } from "../../events/index.ts";
import { createPlainProgress, type PlainOptions } from "./plain.ts";
import { createQuietProgress } from "./quiet.ts";

const start = 1_700_000_000_000;
const vertex = (time: number, id: string, name: string, fields: Partial<VertexEvent> = {}): VertexEvent => ({
  ...fields,
  type: "vertex",
  time: start + time,
  vertex: id,
  name,
  inputs: [],
  ...(fields.started !== undefined && { started: start + fields.started }),
  ...(fields.completed !== undefined && { completed: start + fields.completed }),
});
const status = (time: number, id: string, name: string, fields: Partial<StatusEvent> = {}): StatusEvent => ({
  current: 0,
  total: 0,
  ...fields,
  type: "status",
  time: start + time,
  vertex: id,
  id: name,
  name,
  started: start + (fields.started ?? time),
  ...(fields.completed !== undefined && { completed: start + fields.completed }),
});
const log = (time: number, id: string, text: string): BuildEvent => ({
  type: "log",
  time: start + time,
  vertex: id,
  stream: 1,
  data: new TextEncoder().encode(text),
});

/** Plays events to a reader; a number is time that passes without events. */
function play(events: readonly (BuildEvent | number)[], options: Partial<PlainOptions> = {}): string {
  let text = "";
  const progress = createPlainProgress({ ...options, write: (part) => (text += part) });
  let last = start;
  for (const event of events) {
    if (typeof event === "number") progress.tick(start + event);
    else progress.take(event);
    last = typeof event === "number" ? start + event : event.time;
  }
  progress.end(last);
  return text;
}

test("U03 a step has a number, its parts, its log and its end", () => {
  const text = play(
    [
      vertex(0, "a", "[internal] load build definition from Dockerfile", { started: 0 }),
      status(1, "a", "transferring dockerfile:", { current: 123, started: 1, completed: 2 }),
      vertex(3, "a", "[internal] load build definition from Dockerfile", { started: 0, completed: 3 }),
      150,
      vertex(200, "b", "[1/2] FROM docker.io/library/alpine", { started: 200, completed: 200, cached: true }),
      350,
      vertex(400, "c", "[2/2] RUN echo hi", { started: 400 }),
      600,
      log(523, "c", "hi\nhalf"),
      700,
      log(800, "c", " done\n"),
      vertex(1700, "c", "[2/2] RUN echo hi", { started: 400, completed: 1700 }),
    ],
    { description: "building with varve" },
  );
  assert.equal(
    text,
    `#0 building with varve

#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 123B done
#1 DONE 0.0s

#2 [1/2] FROM docker.io/library/alpine
#2 CACHED

#3 [2/2] RUN echo hi
#3 0.123 hi
#3 0.123 half done
#3 DONE 1.3s
`,
  );
});

test("U03 a step that waits speaks after the one that ends, and the open one is named again", () => {
  const text = play([
    vertex(0, "a", "A", { started: 0 }),
    150,
    vertex(160, "b", "B", { started: 160 }),
    log(170, "b", "from b\n"),
    log(180, "a", "from a\n"),
    400,
    vertex(500, "b", "B", { started: 160, completed: 500 }),
    700,
    vertex(900, "a", "A", { started: 0, completed: 900 }),
  ]);
  assert.equal(
    text,
    `#1 A
#1 0.180 from a
#1 ...

#2 B
#2 0.010 from b
#2 DONE 0.3s

#1 A
#1 DONE 0.9s
`,
  );
});

test("U03 no step waits longer than ten seconds", () => {
  const text = play([
    vertex(0, "a", "A", { started: 0 }),
    150,
    vertex(200, "b", "B", { started: 200 }),
    log(201, "b", "b\n"),
    ...Array.from({ length: 24 }, (_, index) => log(500 * (index + 1), "a", `${index}\n`)),
  ]);
  const at = text.indexOf("#1 ...\n\n#2 B\n#2 0.001 b\n");
  assert.ok(at > 0, text);
  assert.ok(text.slice(0, at).includes("#1 9.500 18\n"), text);
});

test("U03 transfers are shown at their start, at every twentieth part or five seconds, and at their end", () => {
  const text = play([
    vertex(0, "a", "A", { started: 0 }),
    status(10, "a", "sha256:1", { current: 0, total: 4_000_000, started: 10 }),
    150,
    status(300, "a", "sha256:1", { current: 100_000, total: 4_000_000, started: 10 }),
    500,
    status(600, "a", "sha256:1", { current: 2_000_000, total: 4_000_000, started: 10 }),
    800,
    status(900, "a", "sha256:1", { current: 4_000_000, total: 4_000_000, started: 10, completed: 900 }),
    vertex(901, "a", "A", { started: 0, completed: 901 }),
  ]);
  assert.equal(
    text,
    `#1 A
#1 sha256:1 0B / 4.00MB
#1 sha256:1 2.00MB / 4.00MB 0.6s
#1 sha256:1 4.00MB / 4.00MB 0.9s done
#1 DONE 0.9s
`,
  );
});

test("U03 a failure repeats the last ten lines; stopped steps are only named", () => {
  const events = [
    vertex(0, "a", "RUN false", { started: 0 }),
    vertex(0, "b", "RUN sleep 9", { started: 0 }),
    log(10, "a", Array.from({ length: 12 }, (_, index) => `line ${index}\n`).join("")),
    log(11, "a", "no newline"),
    vertex(1000, "a", "RUN false", { started: 0, completed: 1000, error: "exit code: 1" }),
    vertex(1001, "b", "RUN sleep 9", { started: 0, completed: 1001, error: "canceled", canceled: true }),
  ];
  const text = play(events);
  assert.match(text, /#1 0\.011 no newline\n#1 ERROR: exit code: 1\n/);
  assert.match(text, /\n#2 RUN sleep 9\n#2 CANCELED\n/);
  const recap = text.slice(text.indexOf("------"));
  assert.equal(
    recap,
    `------\n > RUN false:\n${Array.from({ length: 9 }, (_, index) => `0.010 line ${index + 3}\n`).join("")}0.011 no newline\n------\n`,
  );

  let quiet = "";
  const progress = createQuietProgress({ write: (part) => (quiet += part) });
  for (const event of events) progress.take(event);
  progress.end(start + 2000);
  assert.equal(quiet, recap);
});

test("U03 a step that failed with a transfer open tells its end, whenever its last line came", () => {
  for (const pause of [[], [300]]) {
    const text = play([
      vertex(0, "a", "exporting cache", { started: 0 }),
      status(1, "a", "writing layer"),
      vertex(150, "a", "exporting cache", { started: 0, completed: 150, error: "disk full" }),
      ...pause,
    ]);
    assert.match(text, /^#1 exporting cache\n#1 writing layer\n#1 ERROR: disk full\n/);
    assert.equal(text.match(/ERROR/g)?.length, 1);
  }
});

test("U03 characters and lines that come in pieces are put together", () => {
  const bytes = new TextEncoder().encode("zwölf\n");
  const piece = (time: number, data: Uint8Array): BuildEvent => ({
    type: "log",
    time: start + time,
    vertex: "a",
    stream: 1,
    data,
  });
  const text = play([
    vertex(0, "a", "A", { started: 0 }),
    piece(5, bytes.subarray(0, 3)),
    200,
    piece(250, bytes.subarray(3)),
    400,
    vertex(500, "a", "A", { started: 0, completed: 500 }),
  ]);
  assert.equal(text, "#1 A\n#1 0.005 zwölf\n#1 DONE 0.5s\n");
});

test("U09 warnings of a step are lines of it", () => {
  const text = play([
    vertex(0, "a", "A", { started: 0 }),
    { type: "warning", time: start + 1, vertex: "a", rule: "StageNameCasing", message: "upper case" },
    vertex(2, "a", "A", { started: 0, completed: 2 }),
  ]);
  assert.equal(text, "#1 A\n#1 WARN: StageNameCasing: upper case\n#1 DONE 0.0s\n");
});

test("U06 names of steps are cut only when asked", () => {
  const name = "x".repeat(80);
  const events = [vertex(0, "a", name, { started: 0, completed: 1 })];
  assert.equal(play(events), `#1 ${name}\n#1 DONE 0.0s\n`);
  assert.equal(play(events, { truncateNames: true }), `#1 ${"x".repeat(72)}...\n#1 DONE 0.0s\n`);
});
