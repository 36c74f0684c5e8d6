/** Builds for other platforms than this machine's, and for several at once. */
import assert from "node:assert/strict";
import { appendFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { digestOf, readEntry } from "../kit/archive.ts";
import { describeEachWay, describeOnce } from "../kit/each-way.ts";
import { bringEmulators } from "../kit/emulators.ts";
import { startRegistry } from "../kit/registry.ts";

const three = "linux/amd64,linux/arm64,linux/arm/v7";

interface Entry {
  readonly digest: string;
  readonly size: number;
  readonly platform?: Readonly<Record<string, string>>;
}

/** The images of the one index in an archive, by platform. */
function readIndex(archive: Buffer): {
  readonly platforms: readonly unknown[];
  readonly configs: readonly Record<string, unknown>[];
} {
  const parse = <T>(name: string): T => JSON.parse(readEntry(archive, name).toString()) as T;
  const blob = <T>({ digest, size }: Entry): T => {
    const name = `blobs/${digest.replace(":", "/")}`;
    const bytes = readEntry(archive, name);
    assert.deepEqual([digestOf(bytes), bytes.length], [digest, size]);
    return parse<T>(name);
  };
  const [index] = parse<{ manifests: Entry[] }>("index.json").manifests;
  assert.ok(index);
  const { manifests } = blob<{ manifests: Entry[] }>(index);
  const configs = manifests.map((entry) => blob<Record<string, unknown>>(blob<{ config: Entry }>(entry).config));
  return { platforms: manifests.map(({ platform }) => platform), configs };
}

/** What a log says of steps whose text ends in these words: their names. */
function stepsOf(log: string, words: string): readonly string[] {
  return [...log.matchAll(/^#\d+ (\[.*)$/gm)]
    .map(([, name = ""]) => name)
    .filter((name, at, all) => name.endsWith(words) && all.indexOf(name) === at);
}

const crossing = {
  Dockerfile: [
    "FROM --platform=$BUILDPLATFORM busybox AS build",
    "RUN echo once > /once",
    "ARG BUILDPLATFORM TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT",
    'RUN echo "$BUILDPLATFORM $TARGETPLATFORM $TARGETOS $TARGETARCH $TARGETVARIANT" > /facts',
    "FROM scratch",
    "COPY --from=build /facts /facts",
    "",
  ].join("\n"),
};

describeEachWay("several platforms", (box) => {
  const out = box.write("out", {});

  test("B20 A02 A03 S09 one build for three platforms runs what they share once, and fills a folder for each", async () => {
    const native = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
    const made = await box.build(crossing, [`--platform=${three}`, `--output=${out}/bin`]);
    assert.equal(made.code, 0, made.stderr);
    assert.deepEqual(readdirSync(`${out}/bin`).toSorted(), ["linux_amd64", "linux_arm64", "linux_arm_v7"]);
    const facts = (name: string) => readFileSync(`${out}/bin/${name}/facts`, "utf8");
    assert.equal(facts("linux_amd64"), `${native} linux/amd64 linux amd64 \n`);
    assert.equal(facts("linux_arm64"), `${native} linux/arm64 linux arm64 \n`);
    assert.equal(facts("linux_arm_v7"), `${native} linux/arm/v7 linux arm v7\n`);
    assert.equal(stepsOf(made.stderr, "RUN echo once > /once").length, 1, made.stderr);
    const copies = stepsOf(made.stderr, "COPY --from=build /facts /facts");
    assert.deepEqual(copies.toSorted(), [
      "[linux/amd64 stage-1 1/1] COPY --from=build /facts /facts",
      "[linux/arm/v7 stage-1 1/1] COPY --from=build /facts /facts",
      "[linux/arm64 stage-1 1/1] COPY --from=build /facts /facts",
    ]);
    if (native === "linux/amd64") assert.match(made.stderr, /\[linux\/amd64->arm\/v7 build 3\/3\] RUN echo/);
    const again = await box.build(crossing, [`--platform=${three}`, "--output=type=cacheonly", "--require-cached"]);
    assert.equal(again.code, 0, again.stderr);
  });

  test("B20 I01 FROM a name that the store has for several platforms takes the one that is built for", async () => {
    const base = await box.build(crossing, [`--platform=${three}`, "-t", "facts-of-three"]);
    assert.equal(base.code, 0, base.stderr);
    const made = await box.build({ Dockerfile: "FROM facts-of-three\n" }, [`--platform=${three}`, `--output=${out}/above`]);
    assert.equal(made.code, 0, made.stderr);
    const architectures = ["linux_amd64", "linux_arm64", "linux_arm_v7"].map(
      (name) => readFileSync(`${out}/above/${name}/facts`, "utf8").split(" ")[3],
    );
    assert.deepEqual(architectures, ["amd64", "arm64", "arm"]);
  });

  test("B20 E03 the images of several platforms are one index, which says what each is for", async () => {
    const made = await box.build(crossing, [`--platform=${three}`, `--output=type=oci,dest=${out}/three.tar`, "-t", "three"]);
    assert.equal(made.code, 0, made.stderr);
    const { platforms, configs } = readIndex(readFileSync(`${out}/three.tar`));
    assert.deepEqual(platforms, [
      { architecture: "amd64", os: "linux" },
      { architecture: "arm64", os: "linux" },
      { architecture: "arm", os: "linux", variant: "v7" },
    ]);
    assert.deepEqual(
      configs.map(({ os, architecture, variant }) => [os, architecture, variant]),
      [
        ["linux", "amd64", undefined],
        ["linux", "arm64", undefined],
        ["linux", "arm", "v7"],
      ],
    );
  });

  test("R12 steps of other architectures run, with their children, and the machine's own table of formats stays as it is", async () => {
    const env = { PATH: bringEmulators(box) };
    const table = "/proc/sys/fs/binfmt_misc";
    const before = existsSync(table) ? readdirSync(table) : [];
    const files = {
      Dockerfile: [
        "FROM busybox",
        "RUN uname -m > /machine && sh -c 'sh -c \"uname -m\"' >> /machine && chown 1:2 /machine && id -u >> /machine",
        "RUN --network=none --mount=type=cache,target=/c --mount=type=tmpfs,target=/t ls -d /c /t >> /machine",
        "FROM scratch",
        "COPY --from=0 /machine /",
        "",
      ].join("\n"),
    };
    const made = await box.build(files, ["--platform=linux/arm64,linux/arm/v7", `--output=${out}/emulated`], { env });
    assert.equal(made.code, 0, made.stderr);
    const machine = (name: string) => readFileSync(`${out}/emulated/${name}/machine`, "utf8").split("\n");
    assert.deepEqual(machine("linux_arm64"), ["aarch64", "aarch64", "0", "/c", "/t", ""]);
    const [name = "", child = ""] = machine("linux_arm_v7");
    assert.match(name, /^armv[78]l$/);
    assert.equal(child, name);
    assert.deepEqual(existsSync(table) ? readdirSync(table) : [], before);
  });

  test("R12 a failure within an emulated step has the program's exit code", async () => {
    const env = { PATH: bringEmulators(box) };
    const made = await box.build({ Dockerfile: "FROM busybox\nRUN exit 7\n" }, ["--platform=linux/arm64"], { env });
    assert.notEqual(made.code, 0);
    assert.match(made.stderr, /did not complete successfully: exit code: 7/);
  });
});

describeOnce("other platforms", (box) => {
  const out = box.write("out", {});
  const plain = { Dockerfile: "FROM scratch\nARG TARGETPLATFORM\nCOPY a /$TARGETPLATFORM\n", a: "a" };

  test("B20 E05 files for systems that no container runs on are copied into folders of their own", async () => {
    const made = await box.build(plain, ["--platform=darwin/arm64,windows/amd64,linux/amd64", `--output=${out}/systems`]);
    assert.equal(made.code, 0, made.stderr);
    assert.deepEqual(readdirSync(`${out}/systems`).toSorted(), ["darwin_arm64", "linux_amd64", "windows_amd64"]);
    assert.ok(existsSync(`${out}/systems/darwin_arm64/darwin/arm64`));
  });

  test("A11 B20 one platform makes plain files, and a folder of its own when several are said", async () => {
    assert.equal((await box.build(plain, ["--platform=linux/aarch64", `--output=${out}/one`])).code, 0);
    assert.ok(existsSync(`${out}/one/linux/arm64`));
    const forced = ["--platform=linux/arm64/v8", "--build-arg=BUILDKIT_MULTI_PLATFORM=1"];
    const made = await box.build(plain, [...forced, `--output=${out}/forced`]);
    assert.equal(made.code, 0, made.stderr);
    assert.deepEqual(readdirSync(`${out}/forced`), ["linux_arm64"]);
    assert.match(made.stderr, /\[linux\/arm64 1\/1\] COPY a \/linux\/arm64/);
    assert.equal((await box.build(plain, [...forced, `--output=type=oci,dest=${out}/forced.tar`])).code, 0);
    assert.deepEqual(readIndex(readFileSync(`${out}/forced.tar`)).platforms, [{ architecture: "arm64", os: "linux" }]);
    const refused = await box.build(plain, ["--platform=linux/arm64,linux/amd64", "--build-arg=BUILDKIT_MULTI_PLATFORM=0"]);
    assert.match(refused.stderr, /conflicting config: returning multiple target platforms is not allowed/);
    const unread = await box.build(plain, ["--build-arg=BUILDKIT_MULTI_PLATFORM=perhaps"]);
    assert.match(unread.stderr, /invalid boolean value for multi-platform: perhaps/);
  });

  test("B20 DOCKER_DEFAULT_PLATFORM counts where no --platform is given", async () => {
    const env = { DOCKER_DEFAULT_PLATFORM: "linux/riscv64" };
    assert.equal((await box.build(plain, [`--output=${out}/default`], { env })).code, 0);
    assert.ok(existsSync(`${out}/default/linux/riscv64`));
    assert.equal((await box.build(plain, ["--platform=linux/386", `--output=${out}/given`], { env })).code, 0);
    assert.ok(existsSync(`${out}/given/linux/386`));
  });

  test("I01 an image that has no such platform, and a platform that is none, are said at their place", async () => {
    const missing = await box.build({ Dockerfile: "FROM scratch\nFROM --platform=plan9/amd64 busybox\n" });
    assert.match(missing.stderr, /busybox:latest: no match for platform plan9\/amd64 in manifest: not found/);
    assert.match(missing.stderr, /2 \| >>> FROM --platform=plan9\/amd64 busybox/);
    const wrong = await box.build(plain, ["--platform=linux/arm64,nothing"]);
    assert.match(wrong.stderr, /"nothing" is not a platform/);
  });

  test("R12 a step that nothing here can run names the package that helps", async () => {
    const made = await box.build({ Dockerfile: 'FROM scratch\nRUN ["/x"]\n' }, ["--platform=linux/pdp11"]);
    assert.notEqual(made.code, 0);
    assert.match(
      made.stderr,
      /this machine cannot run programs for pdp11: there is no QEMU for it on the PATH \[EMULATION_UNAVAILABLE\]/,
    );
    assert.match(made.stderr, /apt-get install qemu-user-static/);
  });

  test("B20 a platform that is said twice is built once, and lint is told once", async () => {
    const files = { Dockerfile: "from scratch\nCOPY a /\n", a: "a" };
    const made = await box.build(files, ["--platform=linux/arm64,linux/amd64,linux/arm64/v8", `--output=${out}/twice`]);
    assert.equal(made.code, 0, made.stderr);
    assert.deepEqual(readdirSync(`${out}/twice`).toSorted(), ["linux_amd64", "linux_arm64"]);
    assert.equal(made.stderr.match(/WARN: ConsistentInstructionCasing/g)?.length, 1, made.stderr);
  });

  test("Q01 Q02 B20 the caches of several platforms serve each of them: a folder's, and the inline ones of an index", async () => {
    const registry = await startRegistry(box.path("registry"));
    try {
      appendFileSync(box.path("varve.toml"), registry.settings);
      const name = `${registry.host}/several:1`;
      const flags = [`--platform=${three}`];
      const kept = ["--cache-to", `type=local,dest=${out}/cache`, "--cache-to", "type=inline", "--push", "-t", name];
      const made = await box.build(crossing, [...flags, ...kept]);
      assert.equal(made.code, 0, made.stderr);
      for (const from of [`type=local,src=${out}/cache`, name]) {
        const store = from === name ? "fresh-inline" : "fresh-folder";
        const again = await box.build(crossing, [...flags, "--cache-from", from, "-o", "type=cacheonly"], { store });
        assert.equal(again.code, 0, again.stderr);
        assert.match(again.stderr, /all cached/);
      }
    } finally {
      await registry.stop();
    }
  });
});
