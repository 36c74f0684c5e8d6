/** A disk without bytes, and one without inodes: a clear error, a store that is whole, and room again after a prune. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openVarve } from "../../src/engine/index.ts";
import { findLastingTraces } from "../kit/processes.ts";
import { makeSandbox, type Sandbox } from "../kit/sandbox.ts";
import { isRoot } from "../kit/ways.ts";
import { auditStore } from "./audit-store.ts";
import { tell } from "./scale.ts";

const mebibyte = 1024 * 1024;
const small = "FROM busybox\nRUN echo small > /small && touch -r /etc/passwd /small\n";
const big = "FROM busybox\nRUN dd if=/dev/urandom of=/big bs=64k count=800\n";
const many = "FROM busybox\nRUN i=0; while [ $i -lt 3000 ]; do : > /f$i || exit 1; i=$((i+1)); done\n";

const looks = [["images"], ["history", "ls"], ["system", "df"], ["buildx", "du"]];

/** A disk of its own for the store, of a size at which it fills up. */
interface Disk {
  readonly title: string;
  mount(box: Sandbox, at: string): void;
}

const disks: readonly Disk[] = [
  {
    title: "ext4 on a loop device",
    mount(box, at) {
      writeFileSync(box.path("disk"), "");
      truncateSync(box.path("disk"), 40 * mebibyte);
      execFileSync("mkfs.ext4", ["-q", "-m", "0", "-N", "1500", box.path("disk")]);
      execFileSync("mount", ["-o", "loop", box.path("disk"), at]);
    },
  },
  {
    title: "a tmpfs",
    mount: (_box, at) => void execFileSync("mount", ["-t", "tmpfs", "-o", "size=40m,nr_inodes=1500", "tmpfs", at]),
  },
];

for (const disk of disks) {
  describe(`a full disk, ${disk.title}`, { skip: isRoot ? false : "only root mounts a disk" }, () => {
    const box = makeSandbox();
    const counts = { "full disks told": 0, "prunes on a full disk": 0 };
    // a collection of garbage that begins after a minute takes the reserve while it runs, which is then not there for who is tried
    appendFileSync(box.path("varve.toml"), "\n[worker.oci]\ngc = false\n");
    const at = box.path("store");
    const fill = box.path("store/fill");
    mkdirSync(at);
    let isMounted = false;
    const mount = (): void => {
      disk.mount(box, at);
      isMounted = true;
    };
    after(async () => {
      // the sync after the last build has the folder open
      for (let tries = 0; isMounted; tries += 1) {
        try {
          execFileSync("umount", [at], { stdio: tries < 600 ? "ignore" : "inherit" });
          isMounted = false;
        } catch (error) {
          if (tries >= 600) throw error;
          await sleep(100);
        }
      }
      // the worker of another build that began meanwhile has a copy of the mount in its namespace
      const traces = await findLastingTraces(box.folder);
      assert.deepEqual(
        traces.filter((trace) => !trace.startsWith("mount of ")),
        [],
      );
      rmSync(box.folder, { recursive: true });
      tell(counts);
    });

    const audit = () => auditStore(at, { unswept: true });
    const free = () => {
      const { bavail, bsize, ffree } = statfsSync(at);
      return { bytes: bavail * bsize, inodes: ffree };
    };
    /** What a worker had open is given back when the kernel has ended it, which may be after the command. */
    async function assertFreed(isFreed: () => boolean, said: () => string): Promise<void> {
      for (const began = Date.now(); !isFreed() && Date.now() - began < 60_000;) await sleep(50);
      assert.ok(isFreed(), said());
    }
    function fillBytes(): void {
      const file = openSync(fill, "a");
      try {
        for (let size = mebibyte; size >= 512;) {
          try {
            if (writeSync(file, Buffer.alloc(size)) < size) size /= 2;
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
            size /= 2;
          }
        }
      } finally {
        closeSync(file);
      }
    }
    function fillInodes(): void {
      mkdirSync(`${fill}-inodes`, { recursive: true });
      try {
        for (let number = 0; ; number += 1) writeFileSync(`${fill}-inodes/${number}`, "");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    }
    function empty(): void {
      rmSync(fill, { force: true });
      rmSync(`${fill}-inodes`, { recursive: true, force: true });
    }
    /** A command that finds no room says so. */
    async function assertTold(args: readonly string[]): Promise<void> {
      const { code, stderr } = await box.varve(args);
      assert.match(stderr, /\[DISK_FULL\]/, `varve ${args.join(" ")}`);
      assert.equal(code, 4, stderr);
      assert.deepEqual(audit(), []);
      counts["full disks told"] += 1;
    }

    test("F9 a build that fills the disk fails, gives the room back, and the next one works", async () => {
      mount();
      box.write("small", { Dockerfile: small });
      box.write("big", { Dockerfile: big });
      box.write("many", { Dockerfile: many });
      await box.succeed(["build", "-q", "-t", "small", "--iidfile", "first", "small"]);
      const before = free();
      for (const context of ["big", "many"]) {
        const { code, stderr } = await box.varve(["build", "--progress=plain", context]);
        assert.equal(code, 1, stderr);
        assert.match(stderr, /RUN_FAILED/);
        assert.match(stderr, /^hint: no room is left/m);
        assert.deepEqual(auditStore(at), []);
        await assertFreed(
          () => before.bytes - free().bytes < mebibyte && before.inodes - free().inodes < 20,
          () => `${before.bytes} bytes and ${before.inodes} inodes were free, and ${free().bytes} and ${free().inodes} are`,
        );
        counts["full disks told"] += 1;
      }
      await box.succeed(["build", "-q", "--no-cache", "--iidfile", "second", "small"]);
      assert.equal(readFileSync(box.path("second"), "utf8"), readFileSync(box.path("first"), "utf8"));
    });

    test("F9 a context, an archive, a pull, a load, a cache export that do not fit are told", async () => {
      writeFileSync(box.path("small/big"), Buffer.alloc(60 * mebibyte));
      writeFileSync(box.path("small/Copy"), "FROM busybox\nCOPY big /\n");
      await assertTold(["build", "-f", "small/Copy", "small"]);
      rmSync(box.path("small/big"));
      await box.succeed(["save", "-o", "small.tar", "small"]);
      fillBytes();
      writeFileSync(box.path("small/Other"), "FROM busybox\nRUN echo other > /other\n");
      await assertTold(["build", "-f", "small/Other", "small"]);
      empty();
      await box.succeed(["rmi", "small"]);
      await box.succeed(["builder", "prune", "-af"]);
      for (const filled of [() => fillBytes(), () => fillInodes()]) {
        filled();
        await assertTold(["pull", "-q", "busybox"]);
        await assertTold(["load", "-q", "-i", "small.tar"]);
        empty();
      }
      await box.succeed(["load", "-q", "-i", "small.tar"]);
      assert.deepEqual(auditStore(at), []);
      await box.succeed(["build", "-q", "small"]);
      fillBytes();
      // outputs on the same disk; the store has room of its own no more
      for (const output of [
        ["-o", `type=oci,dest=${at}/out.tar`],
        ["--cache-to", `type=local,dest=${at}/out`],
        ["-o", `type=local,dest=${at}/tree`],
      ]) {
        fillBytes();
        await assertTold(["build", ...output, "small"]);
      }
      empty();
      assert.deepEqual(
        readdirSync(at).filter((name) => name.startsWith(".") || name.startsWith("out")),
        [],
      );
    });

    for (const [what, filled] of [
      ["bytes", () => fillBytes()],
      ["inodes", () => fillInodes()],
    ] as const) {
      test(`F9 a prune works on a disk without ${what}, and so does everything that only looks`, async () => {
        await box.succeed(["build", "-q", "-t", "small", "small"]);
        await box.succeed(["build", "-q", "--no-cache", "small"]);
        filled();
        await assertTold(["build", "--no-cache", "small"]);
        for (const look of looks) await box.succeed(look);
        const before = free();
        await box.succeed(["rmi", "small"]);
        await box.succeed(["builder", "prune", "-af"]);
        await assertFreed(
          () => free().bytes > before.bytes && free().inodes > before.inodes,
          () => "a prune made no room",
        );
        counts["prunes on a full disk"] += 1;
        empty();
        await box.succeed(["build", "-q", "--iidfile", "third", "small"]);
        assert.equal(readFileSync(box.path("third"), "utf8"), readFileSync(box.path("first"), "utf8"));
        assert.deepEqual(auditStore(at), []);
        assert.ok(existsSync(box.path("store/reserve/3")));
      });
    }

    test("F9 a prune works on a full disk while another process has the store open", async () => {
      await box.succeed(["build", "-q", "-t", "small", "small"]);
      await using other = openVarve({ root: at, configPath: box.path("varve.toml") });
      assert.equal((await other.images.list()).length, 1);
      // what close writes down after a command that only looked: which snapshots are on the disk
      for (const began = Date.now(); readdirSync(box.path("store/synced")).length === 0 && Date.now() - began < 60_000;)
        await sleep(50);
      fillBytes();
      for (const look of looks) await box.succeed(look);
      const before = free();
      await box.succeed(["rmi", "small"]);
      await box.succeed(["builder", "prune", "-af"]);
      await assertFreed(
        () => free().bytes > before.bytes,
        () => "a prune made no room",
      );
      counts["prunes on a full disk"] += 1;
      empty();
    });
  });
}
