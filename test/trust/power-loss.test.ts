/** The machine goes down after a build: rows have reached the disk, files have not. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { makeSandbox } from "../kit/sandbox.ts";
import { stepsRun } from "../kit/progress.ts";
import { auditStore } from "./audit-store.ts";
import { tell } from "./scale.ts";

const files = {
  Dockerfile: "FROM busybox\nRUN echo one > /one && touch -r /etc/passwd /one\nCOPY f /f\n",
  f: "file",
};

describe("a machine that loses its power", () => {
  const box = makeSandbox();
  const counts = { "power losses survived": 0, "snapshots distrusted": 0 };
  after(async () => {
    await box.remove();
    tell(counts);
  });
  const within = <T>(store: string, work: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(join(box.path(store), "state.db"), { timeout: 30_000 });
    try {
      return work(database);
    } finally {
      database.close();
    }
  };
  const unsynced = (store: string) =>
    within(store, (database) => database.prepare("SELECT id FROM unsynced_snapshots").all() as { id: number }[]);
  /** Another boot, in which the files of these snapshots are empty, as ext4 leaves what was never written. */
  function losePower(store: string): number {
    const lost = unsynced(store);
    within(store, (database) => database.exec("UPDATE unsynced_snapshots SET boot = 'before'"));
    for (const { id } of lost) {
      const folder = box.path(store, "snapshots", String(id), "fs");
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        const path = join(folder, name);
        if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) truncateSync(path);
      }
    }
    counts["snapshots distrusted"] += lost.length;
    return lost.length;
  }
  /**
   * The sync of a build goes on in the background; what it marked is believed by the next build that writes. An earlier build's may
   * come to its end only now.
   */
  async function settled(store: string): Promise<void> {
    const { last } = within(store, (database) =>
      database.prepare("SELECT max(number) AS last FROM unsynced_snapshots").get(),
    ) as { last: number };
    for (const began = Date.now(); !readdirSync(box.path(store, "synced")).includes(String(last)); await sleep(20))
      assert.ok(Date.now() - began < 300_000, "what was built is not on the disk after five minutes");
  }

  test("F3 what was not yet on the disk is made anew, and says why; images that lost a layer are gone", async () => {
    const context = box.write("context", files);
    await box.succeed(["build", "-t", "first", "--iidfile", "first", context]);
    await settled("store");
    await box.succeed(["build", "-t", "second", "--no-cache", context]);
    await settled("store");
    // the power went before that
    for (const name of readdirSync(box.path("store/synced"))) unlinkSync(box.path("store/synced", name));
    assert.ok(losePower("store") >= 2);
    const { stdout } = await box.succeed(["images", "--format", "{{.Repository}}"]);
    assert.ok(!stdout.toString().includes("second"), stdout.toString());
    assert.deepEqual(auditStore(box.path("store"), { unswept: true }), []);
    const { stderr } = await box.succeed(["build", "--progress=plain", "-t", "third", "--iidfile", "third", context]);
    assert.ok(stepsRun(stderr).length > 0, stderr);
    assert.match((await box.succeed(["explain"])).stdout.toString(), /power loss/);
    assert.equal(readFileSync(box.path("third"), "utf8"), readFileSync(box.path("first"), "utf8"));
    assert.deepEqual(auditStore(box.path("store")), []);
    counts["power losses survived"] += 1;
  });

  test("F3 what is on the disk is kept through a power loss", async () => {
    await box.succeed(["build", "--no-cache", "-t", "kept", box.path("context")]);
    await settled("store");
    within("store", (database) => database.exec("UPDATE unsynced_snapshots SET boot = 'before'"));
    const { stderr } = await box.succeed(["build", "--progress=plain", "-t", "kept", box.path("context")]);
    assert.deepEqual(stepsRun(stderr), []);
    counts["power losses survived"] += 1;
  });

  test("F3 a folder whose row was forgotten is no beginning of a new snapshot", async () => {
    const context = box.write("context", files);
    await box.succeed(["build", "-t", "kept", context], { store: "old" });
    const last = Math.max(...readdirSync(box.path("old/snapshots")).map(Number));
    // what the next snapshots would be called
    for (const next of [1, 2, 3]) {
      mkdirSync(box.path("old/snapshots", String(last + next), "fs"), { recursive: true });
      writeFileSync(box.path("old/snapshots", String(last + next), "fs/stale"), "of a lost time");
    }
    box.write("context", { f: "changed" });
    await box.succeed(["build", "-t", "new", "-o", `type=local,dest=${box.path("tree")}`, context], { store: "old" });
    assert.ok(!readdirSync(box.path("tree")).includes("stale"));
    assert.deepEqual(auditStore(box.path("old")), []);
    counts["power losses survived"] += 1;
  });
});
