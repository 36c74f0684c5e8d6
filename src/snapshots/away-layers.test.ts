import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { leasesSchema, openState } from "../state/index.ts";
import { openSnapshots, snapshotsSchema } from "./snapshot-store.ts";

test("S07 a snapshot whose layer was left in a registry is found by its chain, gets its files once, and goes like any other", () => {
  const root = mkdtempSync(join(tmpdir(), "varve-away-"));
  const state = openState(root, [leasesSchema, snapshotsSchema]);
  try {
    const snapshots = openSnapshots({ state, root });
    const blob = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: "sha256:b" as never, size: 10 };
    const layer = { base: [], chainId: "sha256:c" as never, diffId: "sha256:d" as never, repository: "host:5000/base", blob };
    const id = snapshots.addAway(layer);
    assert.deepEqual(snapshots.awayAmong([id, 99, id]), [{ ...layer, id }]);
    assert.deepEqual(snapshots.awayBlob(blob.digest), { repository: "host:5000/base", diffId: "sha256:d", blob });
    assert.equal(snapshots.findByChain("sha256:c")?.diffSize, 10);
    assert.deepEqual(
      snapshots.list().map(({ isAway }) => isAway),
      [true],
    );

    const make = (text: string) => {
      const active = snapshots.create([]);
      mkdirSync(join(active.path, "fs"), { recursive: true });
      writeFileSync(join(active.path, "fs", "file"), text);
      return active;
    };
    assert.equal(snapshots.fill(id, make("first"), 2048), true);
    assert.equal(readFileSync(join(snapshots.fsPath(id), "file"), "utf8"), "first");
    assert.deepEqual([snapshots.awayAmong([id]), snapshots.get(id)?.diffSize], [[], 2048]);
    assert.ok(snapshots.lastUnsynced() !== undefined, "its files may be in memory alone");
    const late = make("second");
    assert.equal(snapshots.fill(id, late, 2048), false);
    assert.equal(readFileSync(join(snapshots.fsPath(id), "file"), "utf8"), "first");
    assert.ok(existsSync(late.path));
    late.discard();

    const other = snapshots.addAway(layer);
    assert.equal(snapshots.findByChain("sha256:c")?.id, id, "one whose files are here comes first");
    snapshots.forget([other]);
    assert.equal(snapshots.awayBlob(blob.digest), undefined);
  } finally {
    state.close();
    rmSync(root, { recursive: true });
  }
});
