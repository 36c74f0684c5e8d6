/** Builders: stores of their own, chosen by name, by environment or for good. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { describeEachWay } from "../kit/each-way.ts";
import { stepsRun } from "../kit/progress.ts";

const files = { Dockerfile: "FROM busybox\nRUN echo built > /file\n" };

describeEachWay("builders", (box) => {
  const print = async (...args: string[]) => (await box.succeed(args)).stdout.toString();

  const remove = async (...args: string[]) => (await box.succeed(["buildx", "rm", ...args])).stderr;

  test("B41 B42 W02 a builder of the tutorials is made and listed as buildx lists it", async () => {
    assert.equal(await print("buildx", "create", "--driver=docker-container", "--name=container"), "container\n");
    assert.equal(
      (await print("buildx", "ls")).split("\n").slice(0, 3).join("\n"),
      [
        "NAME/NODE        DRIVER/ENDPOINT    STATUS     BUILDKIT   PLATFORMS",
        "container        docker-container                         ",
        " \\_ container0    \\_ local          inactive              ",
      ].join("\n"),
    );
    assert.match(await print("builder", "ls"), /^default\* +docker +\n \\_ default +\\_ default +running +v\S+ +linux\/\w+/m);
    assert.equal(await print("buildx", "ls", "--format", "{{.Name}}"), "container\ncontainer0\ndefault\ndefault\n");
  });

  test("W02 its results stay in its own cache unless they are loaded", async () => {
    const first = await box.build(files, ["--builder=container", "-t", "loaded"]);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stderr, /^WARNING: No output specified with docker-container driver\. Build result will only remain/m);
    assert.deepEqual(stepsRun(first.stderr), ["RUN echo built > /file"]);
    assert.equal(await print("images", "-q"), "");

    const loaded = await box.build(files, ["--builder=container", "-t", "loaded", "--load", "--progress=quiet"]);
    assert.equal(loaded.code, 0, loaded.stderr);
    assert.equal(await print("images", "--no-trunc", "-q", "loaded"), loaded.stdout.toString());

    const own = await box.build(files, ["-t", "own"]);
    assert.deepEqual(stepsRun(own.stderr), ["RUN echo built > /file"], "the default builder has a cache of its own");
  });

  test("B07 W05 B44 builders are chosen by flag, by environment, and for good", async () => {
    const refOf = async (env: Record<string, string>, ...args: string[]) =>
      (await box.succeed(["buildx", "history", "ls", "--format", "{{.Ref}}", ...args], { env })).stdout.toString().split("\n")
        .length - 1;
    assert.equal(await refOf({}), 1);
    assert.equal(await refOf({ BUILDX_BUILDER: "container" }), 2);
    assert.equal(await refOf({ BUILDX_BUILDER: "container" }, "--builder", "default"), 1);
    await print("buildx", "use", "container");
    assert.equal(await refOf({}), 2);
    assert.match(
      await print("buildx", "inspect"),
      /^Name: +container\nDriver: +docker-container\nLast Activity: .*UTC\n\nNodes:\nName: +container0\n/,
    );
    assert.match(await print("buildx", "du"), /^Total:/m);
    await print("buildx", "use", "default");
    for (const args of [
      ["build", "--builder=nope", "."],
      ["buildx", "use", "nope"],
      ["buildx", "inspect", "nope"],
    ]) {
      const { code, stderr } = await box.varve(args);
      assert.deepEqual([code, /no builder "nope" found \[BUILDER_NOT_FOUND\]/.test(stderr)], [1, true], stderr);
    }
  });

  test("B41 a builder loads by default where it was made so, and has settings of its own", async () => {
    box.write("settings", { "buildkitd.toml": '[registry."example.org"]\nhttp = true\n', "bad.toml": "nope = 1\n" });
    const bad = await box.varve(["buildx", "create", "--name=bad", "--buildkitd-config", box.path("settings", "bad.toml")]);
    assert.match(bad.stderr, /CONFIG_INVALID/);
    const name = (
      await print(
        "buildx",
        "create",
        "--driver-opt",
        "default-load=true",
        "--buildkitd-config",
        "settings/buildkitd.toml",
        "--platform",
        "linux/arm64",
      )
    ).trim();
    assert.match(name, /^[a-z]+_[a-z]+$/);
    const inspected = await print("buildx", "inspect", name);
    assert.match(inspected, /^Platforms: +linux\/arm64\*$/m);
    assert.match(
      await print("buildx", "inspect", "default"),
      /^GC Policy rule#0:\n All: +false\n Filters: +type==source\.local,.*\n Keep Duration: +48h0m0s\n Max Used Space: 488\.3MiB\nGC Policy rule#1:\n/m,
    );
    assert.match(inspected, /^File#buildkitd\.toml:\n > \[registry\."example\.org"\]\n > http = true\n/m);
    const built = await box.build({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" }, ["--builder", name, "-t", "from-other"]);
    assert.equal(built.code, 0, built.stderr);
    assert.doesNotMatch(built.stderr, /No output/);
    assert.match(await print("images", "from-other"), /^from-other +latest/m);
    const changed = await print(
      "buildx",
      "create",
      "--append",
      "--name",
      name,
      "--node",
      `${name}0`,
      "--platform",
      "linux/s390x",
    );
    assert.equal(changed, `${name}\n`);
    assert.match(await print("buildx", "inspect", name), /^Platforms: +linux\/s390x\*/m);
    assert.equal(await remove(name), `${name} removed\n`);
  });

  test("W02 an image that the store does not take while it is made fails the build with the store's reason", async () => {
    const config = box.path("varve.toml");
    const before = readFileSync(config, "utf8");
    box.write("roomy", { "buildkitd.toml": '[worker.oci]\nmaxUsedSpace = "1GB"\n' });
    await print("buildx", "create", "--name=roomy", "--buildkitd-config", box.path("roomy", "buildkitd.toml"));
    writeFileSync(config, `${before}\n[worker.oci]\nmaxUsedSpace = "12MB"\n`);
    try {
      const file = randomBytes(48 << 20);
      const { code, stderr } = await box.build({ Dockerfile: "FROM scratch\nCOPY file /\n", file }, [
        "--builder=roomy",
        "--load",
        "-t",
        "too-large",
      ]);
      assert.equal(code, 4, stderr);
      assert.match(stderr, /QUOTA_EXCEEDED/);
      assert.equal(await print("images", "-q", "too-large"), "");
    } finally {
      writeFileSync(config, before);
      await remove("roomy");
    }
  });

  test("W03 W04 what needs a machine elsewhere, or limits a container, is refused by name", async () => {
    const refused: readonly (readonly [args: readonly string[], said: RegExp, code: number])[] = [
      [["--driver=remote", "tcp://example.org:1234"], /the driver remote is not supported yet: it needs a machine elsewhere/, 3],
      [["--driver=kubernetes"], /the driver kubernetes is not supported yet/, 3],
      [["--driver=nope"], /failed to find driver "nope"/, 2],
      [["--driver-opt", "memory=1g"], /the driver option memory is not supported yet/, 3],
      [["--driver-opt", "bla=1"], /invalid driver option bla for docker-container driver/, 2],
      [["--name", "default"], /default is a reserved name/, 2],
      [["--name", "container"], /existing instance for "container" but no append mode/, 2],
      [["--append", "--name=container", "--node=other"], /invalid duplicate endpoint local/, 2],
      [["--leave", "--name=container", "--node=container0"], /can not leave last node/, 2],
    ];
    for (const [args, said, code] of refused) {
      const result = await box.varve(["buildx", "create", ...args]);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, said);
    }
    assert.equal(await print("buildx", "ls", "--format={{.Name}}"), "container\ncontainer0\ndefault\ndefault\n");
  });

  test("B45 B46 a stopped builder is one until it is used again; a removed one is gone with its cache", async () => {
    await print("buildx", "stop", "container");
    assert.match(await print("buildx", "ls"), /container0 +\\_ local +stopped/);
    const again = await box.build(files, ["--builder=container"]);
    assert.deepEqual(stepsRun(again.stderr), []);
    assert.match(await print("buildx", "ls"), /container0 +\\_ local +running/);

    assert.equal(await remove("--keep-state", "container"), "container removed\n");
    await print("buildx", "create", "--name", "container");
    const kept = await box.build(files, ["--builder=container"]);
    assert.deepEqual(stepsRun(kept.stderr), [], "its cache was kept");

    const some = await box.varve(["buildx", "rm", "nope", "container", "default"]);
    assert.equal(some.code, 1);
    assert.match(
      some.stderr,
      /^failed to remove nope: no builder "nope" found\ncontainer removed\nfailed to remove default: context builder cannot be removed/,
    );
    assert.deepEqual(
      readdirSync(box.path("store", "builders")).filter((entry) => entry !== ".current"),
      [],
    );
    assert.ok(existsSync(box.path("store", "state.db")));
  });

  test("B45 a builder in which a command works is not removed", async () => {
    await print("buildx", "create", "--name", "busy");
    const context = box.write("busy", { Dockerfile: "FROM busybox\nRUN echo begun; sleep 600\n" });
    const running = box.start(["build", "--builder=busy", "--progress=plain", context]);
    await running.waitFor(/ begun$/m);
    for (const what of ["rm", "stop"]) {
      const { code, stderr } = await box.varve(["buildx", what, "busy"]);
      assert.equal(code, 1);
      assert.match(stderr, /a command works in it/);
    }
    running.kill("SIGTERM");
    await running.result;
    assert.equal(await remove("busy"), "busy removed\n");
  });
});
