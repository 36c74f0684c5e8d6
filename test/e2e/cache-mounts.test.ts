/** Cache mounts across processes and machines: who has which folder when, `varve cache mounts`, and what travels. */
import assert from "node:assert/strict";
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { describeEachWay } from "../kit/each-way.ts";
import { hostileLayouts } from "../kit/hostile-mounts.ts";
import { logOf } from "../kit/progress.ts";
import { hasProgram } from "../kit/ways.ts";
import { startRegistry } from "../kit/registry.ts";
import type { Sandbox, VarveOptions } from "../kit/sandbox.ts";

/** Runs one step in a build of its own, never from the cache, and gives what it printed. */
function createRun(box: Sandbox) {
  let count = 0;
  return async (mount: string, script: string, { lines = [], ...options }: VarveOptions & { lines?: readonly string[] } = {}) => {
    const Dockerfile = [...lines, "FROM busybox", `RUN --mount=type=cache,${mount} : ${(count += 1)}; ${script} # it`].join("\n");
    const { code, stderr } = await box.build({ Dockerfile }, [], options);
    return { code, stderr, log: logOf(stderr, "# it") };
  };
}

async function listMounts(box: Sandbox, options?: VarveOptions): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { stdout } = await box.succeed(["cache", "mounts", "ls", "--format=json"], options);
  return stdout
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Resolves when a file is there. */
async function appears(path: string): Promise<void> {
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 20));
}

describeEachWay("cache mounts", (box) => {
  const run = createRun(box);

  test("R02 across processes a locked cache is waited for, which is said; private and shared steps get another folder, and reuse it", async () => {
    const caches = box.path("store", "cache-mounts");
    await run("id=flag,target=/flag", "chmod 777 /flag");
    const flag = (await listMounts(box))[0]?.["Ref"];
    const flags = join(caches, readdirSync(caches).find((name) => name.startsWith(String(flag))) ?? "", "fs");
    // holds the cache until the file is there that it waits for
    const hold = async (name: string) => {
      const step = run(
        "id=c,sharing=locked,target=/c --mount=type=cache,id=flag,target=/flag",
        `touch /c/${name} /flag/${name}; while [ ! -e /flag/end ]; do sleep 0.1; done`,
      );
      await appears(join(flags, name));
      return step;
    };
    const end = join(flags, "end");
    try {
      const first = hold("one");
      await appears(join(flags, "one"));
      const waits = box.write("waiting", {
        Dockerfile: "FROM busybox\nRUN --mount=type=cache,id=c,sharing=locked,target=/c ls /c # waits\n",
      });
      const waiting = box.start(["build", "--progress=plain", waits]);
      assert.deepEqual(
        (await listMounts(box)).map(({ ID, InUse, Sharing, Folders }) => [ID, InUse, Sharing, Folders]),
        [
          ["c", true, "locked", 1],
          ["flag", true, "shared", 1],
        ],
      );
      const removal = await box.varve(["cache", "mounts", "rm", "c"]);
      assert.match(removal.stderr, /the cache mount c is in use \[CACHE_MOUNT_IN_USE\]/);
      await box.succeed(["cache", "mounts", "prune"]);
      await waiting.waitFor(/ waiting for the cache mount c/);
      writeFileSync(end, "");
      assert.equal((await first).code, 0);
      const { stderr } = await waiting.result;
      assert.deepEqual(logOf(stderr, "# waits"), ["waiting for the cache mount c, which is in use", "one"], stderr);

      rmSync(end);
      const second = hold("two");
      await appears(join(flags, "two"));
      assert.deepEqual((await run("id=c,sharing=private,target=/c", "ls -A /c; touch /c/private")).log, []);
      assert.deepEqual((await run("id=c,target=/c", "ls -A /c")).log, ["private"]);
      writeFileSync(end, "");
      assert.equal((await second).code, 0);
    } finally {
      writeFileSync(end, "");
    }
    assert.deepEqual((await run("id=c,sharing=private,target=/c", "ls -A /c")).log, ["one", "two"]);
    assert.equal((await listMounts(box)).find(({ ID }) => ID === "c")?.["Folders"], 2);
    const carried = `type=local,src=${box.path("all-folders")}`;
    await box.succeed(["cache", "mounts", "export", "c", carried.replace("src=", "dest=")]);
    const arrived = { store: "arrived" };
    assert.equal((await box.succeed(["cache", "mounts", "import", carried], arrived)).stdout.toString(), "c: imported\n");
    await box.succeed(["cache", "mounts", "import", carried], arrived);
    assert.equal((await listMounts(box, arrived)).find(({ ID }) => ID === "c")?.["Folders"], 2, "all folders travel, and once");
    const both = "ls -A /c; mkdir /c/mark";
    assert.deepEqual((await run("id=c,sharing=private,target=/c", both, arrived)).log, ["one", "two"]);
    const another = readdirSync(box.path("arrived", "cache-mounts")).find((name) => name.endsWith("-1")) ?? "";
    assert.deepEqual(readdirSync(box.path("arrived", "cache-mounts", another, "fs")), ["private"]);
    const { stdout } = await box.succeed(["cache", "mounts", "rm", "c", "flag"]);
    assert.equal(stdout.toString().split("\n").length, 3);
    assert.deepEqual(readdirSync(caches), ["pick"]);
    const unknown = await box.varve(["cache", "mounts", "rm", "c"]);
    assert.match(unknown.stderr, /there is no cache mount c \[CACHE_MOUNT_NOT_FOUND\]/);
  });

  test("R02 what a failing step wrote stays, as in BuildKit", async () => {
    assert.equal((await run("id=failing,target=/c", "touch /c/written && false")).code, 1);
    assert.deepEqual((await run("id=failing,target=/c", "ls -A /c")).log, ["written"]);
  });

  const fill =
    "mkdir /c/d /c/shut && echo one > /c/d/f && ln /c/d/f /c/hard && ln -s d/f /c/soft && touch -d @1234567890 /c/d/f && " +
    "touch -d @1000000000 /c/d && mkfifo /c/fifo && echo x > /c/exec && chmod 4751 /c/exec && chown 7:8 /c/exec && chmod 700 /c/shut && chown 9:9 /c/shut && touch /c/hidden -d @5 && chmod 0 /c/hidden";
  const show = "cd /c && find . | sort | xargs stat -c '%n %F %a %u:%g %s %h %Y' | grep -v '^. ' && readlink soft && cat hard";

  test("R02 export and import carry modes, owners, times and links through a folder, an archive and a pipe; a step sees them", async () => {
    const options = { store: "from" };
    await run("id=travel,target=/c", fill, options);
    await run("id=owned,target=/c,uid=7,gid=8,mode=0750", "echo mine > /c/mine", options);
    await run("id=other,target=/c", "touch /c/other", options);
    const { log: before } = await run("id=travel,target=/c", show, options);
    assert.ok(before.length >= 10, before.join("\n"));
    const layout = box.path("layout");
    const archive = box.path("mounts.tar");
    await box.succeed(["cache", "mounts", "export", "travel", "owned", `type=local,dest=${layout}`], options);
    await box.succeed(["cache", "mounts", "export", `type=tar,dest=${archive}`], options);
    const piped = await box.succeed(["cache", "mounts", "export", "-q", "type=tar,dest=-"], options);
    assert.deepEqual(piped.stdout, readFileSync(archive), "the same content gives the same bytes");
    for (const [store, from, stdin] of [
      ["to-folder", `type=local,src=${layout}`],
      ["to-archive", `type=tar,src=${archive}`],
      ["to-pipe", "type=tar,src=-", piped.stdout],
    ] as const) {
      const there = { store };
      const { stdout } = await box.succeed(["cache", "mounts", "import", from], { ...there, ...(stdin ? { input: stdin } : {}) });
      assert.match(stdout.toString(), /travel: imported/);
      assert.deepEqual((await run("id=travel,target=/c", show, there)).log, before, store);
      const owned = await run("id=owned,target=/c,uid=7,gid=8,mode=0750", "stat -c '%a %u:%g' /c; cat /c/mine", there);
      assert.deepEqual(owned.log, ["750 7:8", "mine"], store);
      if (store !== "to-pipe") continue;
      const fresh = await run("id=owned,target=/c,uid=9", "ls -A /c", there);
      assert.deepEqual(fresh.log, [], "another beginning is another cache");
    }
    const has = async (store: string) => (await listMounts(box, { store })).some(({ ID }) => ID === "other");
    assert.deepEqual([await has("to-folder"), await has("to-archive")], [false, true]);
    await run("id=travel,target=/c", "touch /c/newer", { store: "to-folder" });
    const kept = await box.succeed(["cache", "mounts", "import", `type=local,src=${layout}`], { store: "to-folder" });
    assert.match(kept.stdout.toString(), /travel: kept as it is here/);
    await box.succeed(["cache", "mounts", "import", "--replace", `type=local,src=${layout}`, "travel"], { store: "to-folder" });
    assert.deepEqual((await run("id=travel,target=/c", show, { store: "to-folder" })).log, before);
    assert.deepEqual(readdirSync(box.path("from", "ingest")), []);
  });

  test(
    "R02 export and import through a registry",
    { skip: hasProgram("docker-registry") ? false : "no docker-registry" },
    async () => {
      const registry = await startRegistry(box.path("registry"));
      try {
        appendFileSync(box.path("varve.toml"), registry.settings);
        const place = `type=registry,ref=${registry.host}/ci/mounts:main`;
        await run("id=pushed,target=/c", "echo pushed > /c/f", { store: "push" });
        await box.succeed(["cache", "mounts", "export", place], { store: "push" });
        await box.succeed(["cache", "mounts", "import", place], { store: "pull" });
        assert.deepEqual((await run("id=pushed,target=/c", "cat /c/f", { store: "pull" })).log, ["pushed"]);
      } finally {
        await registry.stop();
      }
    },
  );

  test("R02 Q01 a build cache carries the mounts that it is told to; a step that runs elsewhere finds them, and no mount that is there changes", async () => {
    const folder = box.path("carried");
    const build = async (step: string, store: string, args: readonly string[] = []) =>
      await box.build(
        {
          Dockerfile: `FROM busybox\nRUN --mount=type=cache,id=one,target=/c echo 1 >> /c/n\nRUN --mount=type=cache,id=two,target=/c touch /c/two\n${step}`,
        },
        args,
        { store },
      );
    const read =
      "RUN --mount=type=cache,id=one,target=/one --mount=type=cache,id=two,target=/two cat /one/n; ls /two; echo end # it";
    const written = await build("", "carry", [`--cache-to=type=local,dest=${folder},mode=max,mounts=one`]);
    assert.equal(written.code, 0, written.stderr);
    const from = `--cache-from=type=local,src=${folder},mounts=true`;
    const cached = await build("", "carry-to", [from]);
    assert.doesNotMatch(cached.stderr, /importing cache mount one/, "nothing ran, so nothing is fetched");
    const there = await build(read, "carry-to", [from]);
    assert.deepEqual(logOf(there.stderr, "# it"), ["1", "end"], there.stderr);
    const again = await build(read.replace("cat", "echo 2 >> /one/n; cat"), "carry-to", [from]);
    assert.deepEqual(logOf(again.stderr, "# it"), ["1", "2", "end"]);
    const kept = await build(`${read} again`, "carry-to", [from]);
    assert.deepEqual(logOf(kept.stderr, "# it"), ["1", "2", "end"], kept.stderr);
    const { stdout } = await box.succeed(["cache", "mounts", "import", `type=local,src=${folder}`], { store: "carry-third" });
    assert.equal(stdout.toString(), "one: imported\n");
    const unknown = await build("RUN echo more", "carry", [
      `--cache-to=type=local,dest=${folder},mounts=no;such,ignore-error=false`,
    ]);
    assert.match(unknown.stderr, /there is no cache mount no \[CACHE_MOUNT_NOT_FOUND\]/);
  });

  test("R02 what is imported is not trusted: other bytes, a climbing name, no archive, and nothing of it stays", async () => {
    for (const { name, files, message } of hostileLayouts()) {
      const folder = box.write(`hostile-${name}`, files);
      const { code, stderr } = await box.varve(["cache", "mounts", "import", `type=local,src=${folder}`], { store: "hostile" });
      assert.notEqual(code, 0, name);
      assert.match(stderr, message, name);
    }
    assert.deepEqual(await listMounts(box, { store: "hostile" }), []);
    assert.deepEqual(
      readdirSync(box.path("hostile", "cache-mounts")).filter((name) => name !== "pick"),
      [],
    );
    assert.equal(existsSync(box.path("evil")), false);
  });

  test("places are written as those of --cache-to, and nothing else", async () => {
    for (const [place, message] of [
      ["./folder", /names no type of place/],
      ["type=s3,dest=x", /there are no cache mounts of type=s3/],
      ["type=local,src=x", /type=local takes no src/],
      ["type=tar", /type=tar needs dest=/],
      ["type=registry,ref=x,mode=max", /takes no mode/],
    ] as const)
      assert.match((await box.varve(["cache", "mounts", "export", place])).stderr, message);
    const empty = await box.varve(["cache", "mounts", "export", "type=tar,dest=x"], { store: "empty" });
    assert.match(empty.stderr, /no cache mount with content to export \[CACHE_MOUNT_NOT_FOUND\]/);
  });
});
