import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sweepCgroups } from "./index.ts";

/** Cgroup trees in which this process may make one; none for an ordinary user. */
function writableTrees(): string[] {
  const base = "/sys/fs/cgroup";
  if (process.getuid?.() !== 0) return [];
  return existsSync(join(base, "cgroup.subtree_control"))
    ? [base]
    : readdirSync(base)
        .map((name) => join(base, name))
        .filter((tree) => existsSync(join(tree, "cgroup.procs")));
}

test("the cgroups of steps that are gone are swept, young ones are not, and nobody without rights fails", () => {
  const name = `run-test-${process.pid}`;
  const trees = writableTrees();
  for (const tree of trees) {
    for (const [folder, age] of [
      [`${name}-old`, 3600],
      [`${name}-new`, 0],
    ] as const) {
      const path = join(tree, "varve", folder);
      mkdirSync(join(path, "inner"), { recursive: true });
      const time = Date.now() / 1000 - age;
      utimesSync(path, time, time);
    }
  }
  const swept = sweepCgroups();
  assert.ok(swept >= trees.length);
  for (const tree of trees) {
    assert.deepEqual(
      [existsSync(join(tree, "varve", `${name}-old`)), existsSync(join(tree, "varve", `${name}-new`))],
      [false, true],
    );
  }
  for (const tree of trees) utimesSync(join(tree, "varve", `${name}-new`), 1, 1);
  sweepCgroups();
  for (const tree of trees) assert.equal(existsSync(join(tree, "varve", `${name}-new`)), false);
});
