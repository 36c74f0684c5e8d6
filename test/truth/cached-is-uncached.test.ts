/**
 * Random graphs with random edits: after each, a build in a store that remembers all builds so far and one without the cache in
 * a fresh store give the same bytes, or fail the same way.
 *
 * VARVE_TRUTH_GRAPHS (default 30) says how many graphs, VARVE_TRUTH_SEED with which seed, VARVE_TRUTH_SECONDS to stop earlier.
 */
import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { openTruth, settle, type Truth } from "../kit/truth.ts";
import { editFiles, editStages, firstFiles, graphs, printStages, type Graph } from "./graphs.ts";

const { VARVE_TRUTH_GRAPHS: count = "30", VARVE_TRUTH_SEED: seed, VARVE_TRUTH_SECONDS: seconds } = process.env;

test("a cached build equals an uncached one, whatever was edited", async (t) => {
  await using truth = await openTruth();
  const endMs = seconds === undefined ? Infinity : performance.now() + Number(seconds) * 1000;
  const totals = { graphs: 0, compared: 0, failing: 0 };
  await fc.assert(
    fc.asyncProperty(graphs, async (graph) => {
      if (performance.now() > endMs) return;
      totals.graphs += 1;
      await checkGraph(truth, graph, totals);
    }),
    {
      numRuns: Number(count),
      ...(seed === undefined ? {} : { seed: Number(seed) }),
    },
  );
  t.diagnostic(JSON.stringify(totals));
  assert.ok(totals.compared >= totals.graphs);
});

async function checkGraph(
  truth: Truth,
  { files, stages: first, args: firstArgs, edits, isLight, isAged }: Graph,
  totals: { compared: number; failing: number },
): Promise<void> {
  // one path for all graphs: what the store remembers of it was true of another context
  const path = truth.path("context");
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path);
  let [stages, buildArgs] = [first, firstArgs];
  const nothing = { files: [...firstFiles, ...files], lines: [], args: undefined, target: undefined };
  for (const { files: fileEdits, lines, args, target } of [nothing, ...edits]) {
    editFiles(path, fileEdits);
    stages = editStages(stages, lines);
    buildArgs = args ?? buildArgs;
    settle(path);
    if (isAged) await sleep(2100);
    const { code } = await truth.compare({
      context: { kind: "folder", path },
      text: printStages(stages, { isLight }),
      buildArgs,
      ...(target === undefined || target >= stages.length ? {} : { target: `s${target}` }),
    });
    totals.compared += 1;
    if (code !== undefined) totals.failing += 1;
  }
}
