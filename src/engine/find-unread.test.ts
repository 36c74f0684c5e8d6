import assert from "node:assert/strict";
import { test } from "node:test";
import type { Op, Vertex } from "../llb/index.ts";
import { findUnread } from "./find-unread.ts";

const vertex = (digest: string, kind: Op["kind"], ...inputs: readonly string[]): Vertex =>
  ({ digest, op: { kind, inputs: inputs.map((input) => ({ digest: input, index: 0 })) } }) as unknown as Vertex;

test("S07 the files of a base are read by steps, not by links and not by results; through links they are", () => {
  const base = vertex("base", "source");
  const copied = vertex("copied", "file", "context");
  const linked = vertex("linked", "merge", "base", "copied");
  const context = vertex("context", "source");
  const graph = [base, context, copied, linked];
  assert.deepEqual(findUnread(graph), new Set(["base", "copied", "linked"]));
  assert.deepEqual(findUnread(graph, [{ digest: "linked", index: 0 } as never]), new Set());
  assert.deepEqual(findUnread([...graph, vertex("run", "exec", "linked")]), new Set(["run"]));
  assert.deepEqual(findUnread([base, vertex("mkdir", "file", "base")]), new Set(["mkdir"]));
});
