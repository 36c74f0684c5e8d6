import assert from "node:assert/strict";
import { test } from "node:test";
import type { BuildEvent, VertexEvent } from "../../events/index.ts";
import { readProgressColors } from "./colors.ts";
import { createTtyProgress } from "./tty.ts";
import { createLogTail, cutToWidth, displayWidth } from "./terminal-text.ts";

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
const log = (time: number, id: string, text: string): BuildEvent => ({
  type: "log",
  time: start + time,
  vertex: id,
  stream: 1,
  data: new TextEncoder().encode(text),
});

interface Screen {
  columns: number;
  rows: number;
  /** Lines on the screen and above it. */
  readonly lines: () => readonly string[];
  readonly take: (event: BuildEvent) => void;
  readonly tick: (time: number) => void;
  readonly end: (time: number) => void;
  readonly raw: () => string;
}

/** A terminal that knows the few sequences that we write. */
function openScreen(columns = 60, rows = 24, colors = false): Screen {
  const screen = [""];
  let row = 0;
  let raw = "";
  const write = (text: string): void => {
    raw += text;
    for (const [part, argument, command] of text
      .replaceAll("\u001b", "ESC")
      .matchAll(/ESC\[(\??\d*(?:;\d+)*)([A-Za-z])|\r|\n|(?:(?!ESC)[^\r\n])+/g)) {
      if (command === "A") row = Math.max(0, row - Number(argument));
      else if (command === "J") screen.splice(row);
      else if (command !== undefined || part === "\r") continue;
      else if (part === "\n") row++;
      else screen[row] = part;
      while (screen.length <= row) screen.push("");
    }
  };
  const size = { columns, rows };
  const progress = createTtyProgress({
    write,
    size: () => size,
    colors: colors ? readProgressColors(undefined) : undefined,
    description: "varve",
    logLines: 3,
    startMs: start,
  });
  return Object.assign(size, {
    lines: () => screen.map((line) => line.trimEnd()).filter((line) => line !== ""),
    take: progress.take,
    tick: (time: number) => progress.tick(start + time),
    end: (time: number) => progress.end(start + time),
    raw: () => raw.replaceAll("\u001b", "ESC"),
  });
}

test("U02 a frame shows how far the build is, each step with its time, transfers and the last output", () => {
  const screen = openScreen();
  screen.take(vertex(0, "x", "[3/3] COPY . ."));
  screen.take(vertex(0, "a", "[1/3] FROM alpine", { started: 0 }));
  screen.take({
    type: "status",
    time: start + 5,
    vertex: "a",
    id: "s",
    name: "sha256:1234",
    current: 500_000,
    total: 1_000_000,
    started: start,
  });
  screen.tick(200);
  assert.deepEqual(screen.lines(), [
    "[+] Building 0.2s (0/2)                               varve",
    " => [1/3] FROM alpine                                  0.2s",
    " => => sha256:1234 500.00kB / 1.00MB 50%               0.2s",
  ]);
  screen.take(vertex(300, "a", "[1/3] FROM alpine", { started: 0, completed: 300 }));
  screen.take(vertex(300, "b", "[2/3] RUN make", { started: 300 }));
  screen.take(log(400, "b", "one\ntwo\nthree\nfour\nhalf"));
  screen.tick(1300);
  assert.deepEqual(screen.lines().slice(3), [
    " => [2/3] RUN make                                     1.0s",
    " => => # three",
    " => => # four",
    " => => # half",
  ]);
});

test("U02 the last frame has every step and no output, and failures follow", () => {
  const screen = openScreen();
  screen.take(vertex(0, "a", "[1/2] FROM alpine", { started: 0, completed: 0, cached: true }));
  screen.take(vertex(0, "b", "[2/2] RUN false", { started: 0 }));
  screen.take(log(100, "b", "oh no\n"));
  screen.tick(500);
  screen.take(vertex(600, "b", "[2/2] RUN false", { started: 0, completed: 600, error: "exit code: 1" }));
  screen.end(600);
  assert.deepEqual(screen.lines(), [
    "[+] Building 0.6s (2/2) FINISHED                      varve",
    " => CACHED [1/2] FROM alpine                           0.0s",
    " => ERROR [2/2] RUN false                              0.6s",
    "------",
    " > [2/2] RUN false:",
    "0.100 oh no",
    "------",
  ]);
});

test("U02 on a low screen what is done leaves first", () => {
  const screen = openScreen(60, 5);
  for (let at = 0; at < 8; at++) screen.take(vertex(at, `d${at}`, `done ${at}`, { started: at, completed: at }));
  screen.take(vertex(10, "r", "running", { started: 10 }));
  screen.take(log(11, "r", "words\n"));
  screen.tick(200);
  assert.deepEqual(
    screen.lines().map((line) => line.slice(0, 24).trimEnd()),
    ["[+] Building 0.2s (8/9)", " => done 6", " => done 7", " => running"],
  );
  screen.end(300);
  assert.equal(screen.lines().length, 10);
});

test("U02 more running steps than lines show as many as fit", () => {
  const screen = openScreen(40, 4);
  for (let at = 0; at < 9; at++) screen.take(vertex(0, `r${at}`, `running ${at}`, { started: 0 }));
  screen.tick(200);
  assert.equal(screen.lines().length, 3);
});

test("U02 no line is wider than a narrow terminal, whatever a name holds", () => {
  const screen = openScreen(24);
  screen.take(vertex(0, "a", "RUN echo 日本語日本語日本語日本語日本語", { started: 0 }));
  screen.take(log(1, "a", "\u001b[31m日本語\tcolumns and more columns\u0007\n"));
  screen.tick(200);
  for (const line of screen.lines()) assert.ok(displayWidth(line) <= 24, line);
});

test("U02 a terminal that became narrower is drawn over from where the wrapped lines began", () => {
  const screen = openScreen(60);
  screen.take(vertex(0, "a", "[1/1] RUN sleep", { started: 0 }));
  screen.tick(200);
  screen.columns = 30;
  screen.tick(400);
  // two lines of 59 and 59 columns take four rows of 30
  assert.match(screen.raw(), /ESC\[4A\r\[\+\] Building 0\.4s/);
});

test("U06 the colours are those of BUILDKIT_COLORS, and none without them", () => {
  const plain = openScreen();
  const colored = openScreen(60, 24, true);
  for (const screen of [plain, colored]) {
    screen.take(vertex(0, "a", "fine", { started: 0, completed: 0 }));
    screen.end(0);
  }
  assert.doesNotMatch(plain.raw(), /ESC\[\d*m/);
  assert.match(colored.raw(), /ESC\[34m => fine/);
  assert.deepEqual(readProgressColors("run=green:error=1,2,3"), { run: "32", error: "38;2;1;2;3", cancel: "33", warning: "33" });
  for (const wrong of ["run=greenish", "walk=green", "run=256,0,0", "run"]) {
    assert.throws(() => readProgressColors(wrong), { code: "USAGE" }, wrong);
  }
});

test("U02 the tail of an output is what a terminal would still show", () => {
  const tail = createLogTail(3);
  const add = (text: string) => tail.add(1, new TextEncoder().encode(text));
  add("10%\r50%\r100%\r\n\n\u001b[1mbold\u001b[0m\n");
  add("ha");
  add("lf");
  assert.deepEqual(tail.last(9), ["100%", "bold", "half"]);
  assert.deepEqual(tail.last(1), ["half"]);
  assert.deepEqual(tail.last(0), []);
  add("x".repeat(5000));
  assert.equal(tail.last(1)[0]?.length, 1024);
});

test("U02 widths count wide characters twice and marks not at all", () => {
  assert.equal(displayWidth("abc"), 3);
  assert.equal(displayWidth("日本"), 4);
  assert.equal(displayWidth("e\u0301"), 1);
  assert.equal(cutToWidth("日本語", 5), "日本");
});
