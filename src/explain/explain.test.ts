import assert from "node:assert/strict";
import { test } from "node:test";
import { compareFiles, maxToldFiles } from "./compare-files.ts";
import { explainSteps } from "./explain-steps.ts";
import { readFileList, writeFileList, type FileList } from "./file-list.ts";
import { align } from "./match-steps.ts";
import { reasonLine } from "./reason-line.ts";
import { reasonText } from "./reason-text.ts";
import { rootCauseLines, rootCauses } from "./root-causes.ts";
import type { StepTrace, Trace } from "./trace.ts";

test("instructions are aligned around what was inserted, and an edited line is paired with the line it was", () => {
  assert.deepEqual(align(["a 1", "x", "b 1"], ["a 1", "b 1"]), [[0, 0], [2, 1]]); // prettier-ignore
  assert.deepEqual(align(["exec RUN one two"], ["exec RUN one"]), [[0, 0]]);
  const before = ["exec RUN apt install git", "file COPY . /"];
  assert.deepEqual(align(["exec RUN date", "exec RUN apt install git curl", "file COPY . /"], before), [
    [1, 0],
    [2, 1],
  ]);
  assert.deepEqual(align(["file COPY a"], ["exec RUN a"]), []);
});

function listOf(files: readonly (readonly [path: string, content: string, mode?: number])[]): FileList {
  const list = writeFileList({ flat: true });
  for (const [path, content, mode = 0o644] of files)
    list.onFile({ path, entry: { type: "file", mode, uid: 0, gid: 0 }, content });
  return readFileList(list.text() ?? "");
}

test("lists of files differ by what was added, removed and changed; the first ones are told, and how many", () => {
  const none = () => undefined;
  const [before, after] = [listOf([["/a", "1"], ["/b", "1"], ["/c", "1"]]), listOf([["/a", "2"], ["/c", "1", 0o755], ["/d", "1"]])]; // prettier-ignore
  assert.deepEqual(compareFiles([after], [before], none), {
    files: [
      { path: "/a", change: "content" },
      { path: "/b", change: "removed" },
      { path: "/c", change: "mode", old: "0644", new: "0755" },
      { path: "/d", change: "added" },
    ],
    count: 4,
    onlyModes: false,
  });
  const many = listOf(Array.from({ length: 50 }, (_, i) => [`/${100 + i}`, "x"]));
  const { files, count } = compareFiles([many], [listOf([])], none);
  assert.equal(files.length, maxToldFiles);
  assert.equal(count, 50);
});

test("of folders only those with other digests are looked into; one that is not known any more is told by its name", () => {
  const folders = (...digests: string[]): FileList => ({
    files: [],
    folders: new Map(digests.map((digest, i) => [`/${i}`, digest])),
  });
  const entry = (name: string, content: string) => [name, "file", "", "420", "0", "0", "1", "0:0", "", content].join("\0") + "\0";
  const asked: string[] = [];
  const entriesOf = (digest: string) => {
    asked.push(digest);
    return digest === "lost" ? undefined : entry("f", digest);
  };
  assert.deepEqual(compareFiles([folders("same", "new")], [folders("same", "old")], entriesOf), {
    files: [{ path: "/1/f", change: "content" }],
    count: 1,
    onlyModes: false,
  });
  assert.deepEqual(asked, ["old", "new"]);
  assert.deepEqual(compareFiles([folders("new")], [folders("lost")], entriesOf), {
    files: [{ path: "/0/", change: "content" }],
    onlyModes: false,
  });
});

/** A chain of RUNs in one stage; `key` of each is made of its text and all before. */
function chain(texts: readonly string[]): Trace {
  const steps = texts.map((text, index): StepTrace => ({
    vertex: texts.slice(0, index + 1).join(),
    name: `[${index + 1}/${texts.length}] ${text}`,
    kind: "exec",
    place: { stage: "", step: index + 1 },
    text,
    source: text,
    command: ["sh", "-c", text],
    settings: [],
    inputs: index === 0 ? [] : [{ step: index - 1, whole: true }],
  }));
  return { steps, stages: ["stage-0"], args: {}, env: [] };
}

function run(
  texts: readonly string[],
  before: Trace | undefined,
  ran: readonly number[],
  goneSince?: { time: number; why: string },
) {
  const now = chain(texts);
  const explainer = explainSteps({
    now: () => now,
    before: () => before,
    listing: () => undefined,
    entries: () => undefined,
    ...(goneSince && { goneSince: () => goneSince }),
  });
  const lines: string[] = [];
  for (const [index, { vertex, text, inputs }] of now.steps.entries()) {
    explainer.solved({ vertex, key: vertex, op: text, contents: [], whole: inputs.map(() => true) });
    const reason = ran.includes(index) ? explainer.starts(vertex, "missing") : undefined;
    if (reason) lines.push(reasonLine(reason));
    explainer.ended(vertex, "done");
  }
  return { lines, trace: explainer.trace() };
}

test("a step with the key of the last build lost its record, and what is made from it ran after it", () => {
  const { trace } = run(["RUN a", "RUN b"], undefined, [0, 1]);
  assert.deepEqual(run(["RUN a", "RUN b"], trace, [0, 1], { time: 0, why: "pruned" }).lines, [
    "cache record gone: pruned at 1970-01-01T00:00:00.000Z",
    "cache record gone: pruned at 1970-01-01T00:00:00.000Z",
  ]);
  assert.deepEqual(run(["RUN a", "RUN b"], trace, [0, 1]).lines, [
    "cache record gone",
    "after [1/2] RUN a, since cache record gone",
  ]);
});

test("the root cause is told however far up it is, and once", () => {
  const { trace } = run(["RUN a", "RUN b", "RUN c", "RUN d"], undefined, []);
  assert.deepEqual(run(["RUN x", "RUN b", "RUN c", "RUN d"], trace, [0, 1, 2, 3]).lines, [
    'instruction changed: "RUN a" → "RUN x"',
    'after [1/4] RUN x, since instruction changed: "RUN a" → "RUN x"',
    'after [2/4] RUN b, since [1/4] RUN x: instruction changed: "RUN a" → "RUN x"',
    'after [3/4] RUN c, since [1/4] RUN x: instruction changed: "RUN a" → "RUN x"',
  ]);
});

test("what a build did not get to is compared with the last time that it was made", () => {
  const first = run(["RUN a", "RUN b"], undefined, [0, 1]).trace;
  const now = chain(["RUN x", "RUN y"]);
  const failed = explainSteps({ now: () => now, before: () => first, listing: () => undefined, entries: () => undefined });
  failed.solved({ vertex: "RUN x", key: "RUN x", op: "RUN x", contents: [], whole: [] });
  failed.starts("RUN x", "missing");
  failed.ended("RUN x", "failed");
  assert.deepEqual(run(["RUN x", "RUN y"], failed.trace(), [0, 1]).lines, [
    "did not succeed in the last build",
    'instruction changed: "RUN b" → "RUN y"',
  ]);
});

test("lines hold no control characters, whatever a Dockerfile or a file is called", () => {
  const evil = "a\u001b[2J\nb";
  const reason = { kind: "instruction-changed", old: evil, new: `${evil}c` } as const;
  for (const line of [reasonLine(reason), ...reasonText(reason)]) assert.ok(!/\p{Cc}/u.test(line), line);
});

test("root causes that say the same share a line", () => {
  const first = { kind: "first-time" } as const;
  const steps = ["a", "b"].map((name) => ({ vertex: name, name, reason: first }));
  const after = {
    kind: "parent-ran",
    parent: { vertex: "a", name: "a" },
    roots: [{ vertex: "a", name: "a", reason: first }],
  } as const;
  const roots = rootCauses([...steps, { vertex: "c", name: "c", reason: after }]);
  assert.deepEqual(rootCauseLines(roots), ["2 steps: first time seen"]);
});
