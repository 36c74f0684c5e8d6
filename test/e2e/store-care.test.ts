/** What is in the store, what goes from it, and what never goes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { describeEachWay } from "../kit/each-way.ts";
import { stepsRun } from "../kit/progress.ts";
import { startRegistry } from "../kit/registry.ts";
import type { Sandbox } from "../kit/sandbox.ts";
import { isRoot } from "../kit/ways.ts";

interface DuLine {
  readonly ID: string;
  readonly Type: string;
  readonly Description: string;
  readonly Reclaimable: boolean;
  readonly Shared: boolean;
  readonly Size: string;
}

const files = {
  Dockerfile: [
    "FROM busybox AS big",
    "RUN dd if=/dev/urandom of=/big bs=64k count=48",
    "RUN i=0; while [ $i -lt 300 ]; do echo $i > /f$i; ln /f$i /l$i; i=$((i+1)); done",
    "FROM busybox",
    "COPY --from=big /f1 /f2 /",
    "RUN --mount=type=cache,target=/cache dd if=/dev/urandom of=/cache/x bs=64k count=16 && echo done > /done",
  ].join("\n"),
};

describeEachWay("store care", (box) => {
  const print = async (...args: string[]) => (await box.succeed(args)).stdout.toString();
  const du = async (...args: string[]) =>
    (await print("buildx", "du", "--format", "json", ...args))
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as DuLine);
  const onDisk = (store?: string): number => allocated(box, store);
  const total = async (...options: string[]): Promise<number> => {
    const text = await print("buildx", "du", ...options);
    return readSize(/^Total:\s+(\S+)$/m.exec(text)?.[1] ?? "");
  };
  let context = "";
  const build = async (...args: string[]) => (await box.succeed(["build", "--progress=plain", ...args, context])).stderr;

  test("B47 du lists everything, and agrees with the disk within 2 %", async () => {
    context = box.write("care", files);
    await build("-t", "kept");
    await build("-t", "packed", "--output", `type=oci,dest=${box.path("out.tar")}`);
    const [told, found] = [await total(), onDisk()];
    assert.ok(Math.abs(told - found) < found * 0.02, `du says ${told}, the disk ${found}`);
    const lines = await du();
    const big = lines.find(({ Description }) => Description.includes("dd if=/dev/urandom of=/big"));
    assert.equal(big?.Reclaimable, true);
    assert.ok(readSize(big?.Size ?? "") >= 3 * 1024 * 1024);
    assert.ok(lines.some(({ Type }) => Type === "exec.cachemount"));
    assert.ok(lines.some(({ Shared, Reclaimable }) => Shared && !Reclaimable));
    assert.match(await print("buildx", "du", "--verbose"), /^In use by: +the image kept:latest$/m);
    assert.match(await print("system", "df"), /^Images +1 +0 +\S+MB +\S+MB \(100%\)$/m);
    assert.match(await print("system", "df", "-v"), /^kept +latest +[0-9a-f]{12} /m);
  });

  test("B47 B48 filters choose records, and unknown ones are refused", async () => {
    assert.ok((await du("--filter", "type=exec.cachemount")).every(({ Type }) => Type === "exec.cachemount"));
    const [one] = await du("--filter", "description~=of=/big");
    assert.deepEqual(
      (await du("--filter", `id=${one?.ID ?? ""}`)).map(({ ID }) => ID),
      [one?.ID],
    );
    const { code, stderr } = await box.varve(["builder", "prune", "-f", "--filter", "colour=red"]);
    assert.equal(code, 2);
    assert.match(stderr, /FILTER_INVALID/);
  });

  test("B48 a prune asks first, and without an answer does nothing", async () => {
    const before = await du();
    const asked = (await box.succeed(["builder", "prune"], { input: "n\n" })).stdout.toString();
    assert.equal(asked, "WARNING! This will remove all dangling build cache. Are you sure you want to continue? [y/N] ");
    assert.equal((await du()).length, before.length);
  });

  test("B48 --dry-run says what would go and why, and changes nothing", async () => {
    const before = (await du()).map(({ ID }) => ID).sort();
    const said = await print("builder", "prune", "--dry-run", "--all");
    assert.match(said, /not used for/);
    assert.match(said, /the cache forgets it, its files stay for the image kept:latest/);
    assert.deepEqual((await du()).map(({ ID }) => ID).sort(), before);
    assert.deepEqual(stepsRun(await build()), []);
  });

  test("B48 until keeps what was used since", async () => {
    assert.equal(await print("builder", "prune", "-f", "--filter", "until=1h"), "Total:\t0B\n");
    assert.deepEqual(stepsRun(await build()), []);
  });

  test("B48 with a limit the least recently used goes, until the limit holds", async () => {
    const other = box.write("other", { Dockerfile: "FROM busybox\nRUN dd if=/dev/zero of=/newer bs=64k count=32\n" });
    await box.succeed(["build", "--output", "type=cacheonly", other]);
    await print("builder", "prune", "-f", "--filter", "type=regular", "--max-used-space", "5mb");
    const left = (await du()).map(({ Description }) => Description);
    assert.ok(
      left.some((text) => text.includes("of=/newer")),
      "the newest stays",
    );
    assert.ok(!left.some((text) => text.includes("of=/big")), "the oldest goes");
  });

  test("B48 a prune gives the room back, and what an image needs stays whole", async () => {
    const before = onDisk();
    await print("builder", "prune", "-f");
    const after = onDisk();
    assert.ok(after < before - 1024 * 1024, `${before} bytes before, ${after} after`);
    assert.ok(Math.abs((await total()) - after) < after * 0.02 + 8192);
    await box.succeed(["save", "-o", box.path("kept.tar"), "kept"]);
    assert.deepEqual(stepsRun(await build()), [], "what the image shares with the cache is still cached");
  });

  test("Q12 after --all everything runs again", async () => {
    await print("builder", "prune", "-f", "-a");
    assert.equal(stepsRun(await build("-t", "kept")).length, 4);
  });

  test("rmi leaves the cache, and the next prune frees it; system prune does both", async () => {
    await print("rmi", "kept");
    assert.deepEqual(stepsRun(await build()), []);
    const said = await print("system", "prune", "-f", "-a");
    assert.match(said, /^deleted: sha256:/m);
    assert.match(said, /^Total reclaimed space: \S+MB$/m);
    assert.deepEqual(
      (await du()).filter(({ Reclaimable }) => Reclaimable),
      [],
    );
    assert.ok(onDisk() < 2 * 1024 * 1024);
  });

  test("image prune takes images without a name, and leaves those with one", async () => {
    const context = box.write("again", { Dockerfile: "FROM busybox\nRUN echo one > /one\n" });
    await box.succeed(["build", "-t", "again", context]);
    box.write("again", { Dockerfile: "FROM busybox\nRUN echo two > /two\n" });
    await box.succeed(["build", "-t", "again", context]);
    assert.match(
      await print("image", "prune", "-f"),
      /^Deleted Images:\ndeleted: sha256:[0-9a-f]{64}\n\nTotal reclaimed space: \S+\n$/,
    );
    assert.match(await print("images"), /^again /m);
  });

  test("Q12 prunes beside builds break none of them", async () => {
    const contexts = [0, 1, 2].map((n) =>
      box.write(`beside-${n}`, {
        Dockerfile: [
          "FROM busybox AS a",
          `RUN echo ${n} > /a && sleep 0.1`,
          "FROM a AS b",
          "RUN cat /a > /b && sleep 0.2",
          "FROM busybox",
          "COPY --from=b /b /c",
          "RUN cat /c",
        ].join("\n"),
      }),
    );
    let building = true;
    const pruning = (async () => {
      while (building) await box.succeed(["builder", "prune", "-f", "-a"]);
    })();
    try {
      for (let round = 0; round < 2; round += 1)
        await Promise.all(contexts.map(async (folder, n) => await box.succeed(["build", "-t", `beside:${n}`, folder])));
    } finally {
      building = false;
      await pruning;
    }
    for (const n of [0, 1, 2]) await box.succeed(["save", "-o", box.path(`beside-${n}.tar`), `beside:${n}`]);
  });
});

describeEachWay("a store with a quota", (box) => {
  const onDisk = (): number => allocated(box);

  test("Q12 a quota holds: the oldest cache goes for the newest, and what cannot fit fails and leaves nothing", async () => {
    const config = box.path("varve.toml");
    const before = readFileSync(config, "utf8");
    writeFileSync(config, `${before}\n[worker.oci]\nmaxUsedSpace = "12MB"\n`);
    try {
      const build = async (name: string, kilobytes: number) =>
        await box.build({ Dockerfile: `FROM busybox\nRUN dd if=/dev/zero of=/${name} bs=1k count=${kilobytes}\n` }, [
          "--output",
          "type=cacheonly",
        ]);
      for (const name of ["one", "two", "three"]) {
        assert.equal((await build(name, 4000)).code, 0);
        assert.ok(onDisk() <= 12 * 1024 * 1024, name);
      }
      const { code, stderr } = await build("four", 30_000);
      assert.equal(code, 4);
      assert.match(stderr, /QUOTA_EXCEEDED/);
      assert.ok(onDisk() <= 12 * 1024 * 1024, "after the failure");
    } finally {
      writeFileSync(config, before);
    }
  });

  test("Q12 a quota holds although others on the disk remove what they had: the step is stopped while it runs, or fails at its end", async () => {
    const config = box.path("varve.toml");
    const before = readFileSync(config, "utf8");
    writeFileSync(config, `${before}\n[worker.oci]\nmaxUsedSpace = "12MB"\n`);
    try {
      for (const [name, after] of [
        ["stopped", "; sleep 60; echo was not sto''pped"],
        ["short", ""],
      ] as const) {
        const others = box.path("others");
        writeFileSync(others, randomBytes(128 << 20));
        const write = "echo rea''dy; sleep 1; dd if=/dev/zero of=/file bs=1k count=30000 && sync";
        const context = box.write(name, { Dockerfile: `FROM busybox\nRUN ${write}${after}\n` });
        const building = box.start(["build", "--progress=plain", "--output", "type=cacheonly", context]);
        await building.waitFor(/ready/);
        rmSync(others);
        const { code, stderr } = await building.result;
        assert.equal(code, 4, stderr);
        assert.match(stderr, /QUOTA_EXCEEDED/);
        assert.doesNotMatch(stderr, /was not stopped/);
      }
    } finally {
      writeFileSync(config, before);
    }
  });

  test("Q12 a pull that does not fit is refused before it is fetched; one that turns out not to fit, and a load, leave nothing", async () => {
    const config = box.path("varve.toml");
    const before = readFileSync(config, "utf8");
    const registry = await startRegistry(box.path("registry"));
    const name = (of: string): string => `${registry.host}/${of}:1`;
    writeFileSync(config, before + registry.settings);
    try {
      const contents = { dense: randomBytes(16 << 20), hollow: Buffer.alloc(32 << 20), small: Buffer.alloc(1 << 20) };
      for (const [of, file] of Object.entries(contents)) {
        const made = await box.build({ Dockerfile: "FROM scratch\nCOPY file /\n", file }, ["-t", name(of), "--push"], {
          store: "maker",
        });
        assert.equal(made.code, 0, made.stderr);
      }
      await box.succeed(["save", "-o", box.path("dense.tar"), name("dense")], { store: "maker" });
      writeFileSync(config, `${before}${registry.settings}\n[worker.oci]\nmaxUsedSpace = "12MB"\n`);
      const options = { store: "limited" };
      await box.succeed(["pull", name("small")], options);
      const taken = allocated(box, "limited");
      for (const [args, told] of [
        [
          ["pull", name("dense")],
          /the image .*dense:1 takes 16\.\d+MB or more, and without what may go the store takes .* of 12\.6MB \[QUOTA_EXCEEDED\]/,
        ],
        [["pull", name("hollow")], /QUOTA_EXCEEDED/],
        [["load", "-i", box.path("dense.tar")], /QUOTA_EXCEEDED/],
      ] as const) {
        const { code, stderr } = await box.varve(args, options);
        assert.equal(code, 4, stderr);
        assert.match(stderr, told);
        assert.ok(allocated(box, "limited") - taken < 512 * 1024, `${args.join(" ")} left something`);
      }
      const { stdout } = await box.succeed(["images", "--format={{.Repository}}"], options);
      assert.equal(stdout.toString(), `${registry.host}/small\n`);
    } finally {
      writeFileSync(config, before);
      await registry.stop();
    }
  });
});

/** Allocated bytes of the store's folder; an ordinary user's are read in a user namespace, by whoever tests. */
function allocated(box: Sandbox, store = "store"): number {
  const command = ["du", "-s", "--block-size=1", box.path(store)];
  const [program = "", ...args] = isRoot ? command : ["unshare", "--user", "--map-auto", "--map-root-user", ...command];
  for (let tries = 1; ; tries += 1) {
    try {
      return Number(execFileSync(program, args).toString().split("\t")[0]);
    } catch (error) {
      // a collection of garbage may end just now, and with it a file of the database that du(1) was about to look at
      if (tries === 5) throw error;
    }
  }
}

/** Bytes of a size as the tables print it. */
function readSize(text: string): number {
  const [, number = "", unit = ""] = /^([\d.]+)([kMG]?B)\*?$/.exec(text) ?? [];
  return Number(number) * ({ B: 1, kB: 1e3, MB: 1e6, GB: 1e9 }[unit] ?? NaN);
}
