import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { CacheRecord } from "../solver/index.ts";
import { openSnapshots, snapshotsSchema, type Ref, type StackRef } from "../snapshots/index.ts";
import { leasesSchema, openLeases, openState, type State } from "../state/index.ts";
import { cacheSchema, createCache } from "./index.ts";

test("of two builds that make the same at the same time one result stays, with what was made from it", (t) => {
  const root = mkdtempSync(join(tmpdir(), "varve-two-builds-"));
  const state = openState(root, [leasesSchema, snapshotsSchema, cacheSchema]);
  t.after(() => {
    state.close();
    rmSync(root, { recursive: true });
  });
  const snapshots = openSnapshots({ state, root, leases: openLeases({ state }) });
  const stack = (): StackRef => ({ kind: "stack", layers: [snapshots.create([]).commit().id] });
  const record = (key: string, result: StackRef, ...inputKeys: readonly string[]): CacheRecord<Ref> => ({
    key,
    inputKeys,
    outputs: [result],
    vertex: { id: key, name: key, inputs: [], ignoreCache: false, op: { cacheMap: refuse, exec: refuse } },
  });
  const first = createCache({ state, snapshots });
  const [mine, others, above] = [stack(), stack(), stack()];

  // the other build stores its result, and what it made from that, when this one has looked and is about to write
  let meanwhile: (() => void) | undefined = () => {
    first.keep(record("same", others));
    first.keep(record("above", above, "same"));
  };
  const slow: State = {
    ...state,
    transaction(work) {
      const other = meanwhile;
      meanwhile = undefined;
      other?.();
      return state.transaction(work);
    },
  };
  assert.deepEqual(createCache({ state: slow, snapshots }).keep(record("same", mine)), [others]);
  assert.deepEqual([first.peek("same"), first.peek("above")], [[others], [above]]);

  snapshots.forget(others.layers);
  assert.deepEqual(first.keep(record("same", mine)), [mine], "what is of no use any more is replaced");
  assert.equal(first.peek("above"), undefined);
});

async function refuse(): Promise<never> {
  throw new TypeError("nothing runs here");
}
