import assert from "node:assert/strict";
import { test } from "node:test";
import type { BuildRecord, BuildStep, History } from "../../engine/index.ts";
import { printSummary } from "./summary.ts";

const changed: BuildStep = {
  vertex: "b",
  name: "[2/3] COPY . .",
  cached: false,
  reason: { kind: "files-changed", from: "context", count: 1, files: [{ path: "/main.go", change: "content" }] },
};
const after: BuildStep = {
  vertex: "c",
  name: "[3/3] RUN make",
  cached: false,
  reason: { kind: "parent-ran", parent: changed, roots: [{ vertex: "b", name: changed.name, reason: changed.reason as never }] },
};
const cached: BuildStep = { vertex: "a", name: "[1/3] FROM alpine", cached: true };
const context: BuildStep = { vertex: "x", name: "[internal] load build context", cached: false };

const record = (ref: string, sizeBytes: number, target?: string): BuildRecord =>
  ({ ref, options: { context: "/c", dockerfile: "/c/Dockerfile", ...(target && { target }) }, result: { sizeBytes } }) as never;

async function summary(steps: readonly BuildStep[], sizeBytes: number, records: readonly BuildRecord[]): Promise<string> {
  let text = "";
  const history: Pick<History, "list"> = { list: async () => records };
  const io = { stderr: { print: (part: string) => (text += part) } };
  await printSummary({ ref: "new", steps, sizeBytes, tags: [], warnings: [], metadata: {} }, history as never, io as never);
  return text;
}

test("U02 U03 a build ends with what ran and why, and the image's size beside the last one of the same build", async () => {
  const records = [record("new", 8_520_000), record("other", 5, "test"), record("old", 8_518_800)];
  assert.equal(
    await summary([context, cached, changed, after], 8_520_000, records),
    [
      "",
      " 2 steps ran, 1 cached",
      "   [2/3] COPY . .: 1 file of context changed: main.go (content)",
      " image 8.52MB, 1.2kB more than in the last build",
      "",
    ].join("\n"),
  );
});

test("U02 U03 a build that is all cached says so, and no more", async () => {
  assert.equal(await summary([context, cached], 8_520_000, []), "\n 1 step, all cached\n");
});
