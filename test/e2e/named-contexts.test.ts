/** Named contexts: folders, images and image layouts in the place of stages and images. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { describeArchive, digestOf, readEntry } from "../kit/archive.ts";
import { describeEachWay, describeOnce } from "../kit/each-way.ts";
import { logOf, readSteps } from "../kit/progress.ts";

const files = (dockerfile: string) => ({
  Dockerfile: dockerfile,
  "main.txt": "m",
  "hidden.txt": "main's own",
  ".dockerignore": "a.txt\n",
});

describeEachWay("named contexts", (box) => {
  const lib = box.write("lib", { "a.txt": "a", "sub/b.txt": "b", "hidden.txt": "h", ".dockerignore": "hidden.txt\n" });
  const names = (archive: Buffer) => describeArchive(archive).map((line) => line.split(" ").at(-1));

  test("X08 G03 a folder is read by COPY and RUN --from, with the ignore file in its own root", async () => {
    const dockerfile =
      "FROM busybox AS b\nFROM scratch\nCOPY --from=lib / /all/\nCOPY --from=lib sub/b.txt /\nCOPY hidden.txt /\nCOPY --from=b /bin/true /";
    const { code, stdout, stderr } = await box.build(files(dockerfile), ["--build-context", `lib=${lib}`, "-o", "-"]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(names(stdout), [
      "all/",
      "all/.dockerignore",
      "all/a.txt",
      "all/sub/",
      "all/sub/b.txt",
      "b.txt",
      "hidden.txt",
      "true",
    ]);
    assert.match(stderr, /\[context lib\] load from client/);
    const mounted = await box.build(files("FROM busybox\nRUN --mount=from=lib,target=/m ls -A /m"), [
      "--build-context",
      `lib=${lib}`,
    ]);
    assert.deepEqual(logOf(mounted.stderr, "ls -A"), [".dockerignore", "a.txt", "sub"]);
  });

  test("X08 X13 a folder in the place of a base is a root that steps write into, and the folder stays as it is", async () => {
    const dockerfile =
      "FROM nowhere.invalid/private AS st\nRUN false\nFROM st\nCOPY main.txt /\nCOPY --from=st a.txt /copy\nENV A=1";
    const { code, stdout, stderr } = await box.build(files(dockerfile), ["--build-context", `st=${lib}`, "-o", "-"]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(names(stdout), [".dockerignore", "a.txt", "copy", "main.txt", "sub/", "sub/b.txt"]);
    const alone = await box.build(files("FROM st"), ["--build-context", `st=${lib}`, "-o", "-"]);
    assert.deepEqual(names(alone.stdout), [".dockerignore", "a.txt", "sub/", "sub/b.txt"]);
    const inPlace = await box.build(files("FROM busybox AS st"), ["--build-context", `st=${lib}`, "-o", "-"]);
    assert.deepEqual(names(inPlace.stdout), [".dockerignore", "a.txt", "sub/", "sub/b.txt"]);
  });

  test("X09 X13 an image takes the place of an image with its tag, a stage, a --from", async () => {
    const contexts = [
      "--build-context",
      "nowhere.invalid/x:1=docker-image://busybox",
      "--build-context",
      "st=docker-image://busybox",
      "--build-context",
      "empty=docker-image://scratch",
    ];
    const dockerfile = [
      "FROM nowhere.invalid/x:1 AS one",
      "RUN echo one > /one",
      "FROM nowhere.invalid/y AS st",
      "FROM st AS two",
      "RUN echo two > /two",
      "FROM empty",
      "COPY --from=one /one /",
      "COPY --from=two /two /",
      "COPY --from=st /bin/true /",
    ].join("\n");
    const { code, stdout, stderr } = await box.build(files(dockerfile), [...contexts, "-o", "-"]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(names(stdout), ["one", "true", "two"]);
    assert.match(stderr, /\[context st\] busybox/);
    const other = await box.build(files("FROM nowhere.invalid/x:2"), contexts);
    assert.equal(other.code, 5, "another tag is another image");
  });

  test("X11 an image of a layout folder, by tag, by digest, or the only one; its blobs are verified", async () => {
    const built = await box.build(files("FROM busybox\nENV LAYOUT=1\nRUN echo made > /made"), [
      "-t",
      "some/name:tag",
      "-o",
      "type=oci,dest=layout.tar",
    ]);
    assert.equal(built.code, 0, built.stderr);
    const layout = box.path("layout");
    mkdirSync(layout);
    execFileSync("tar", ["-xf", box.path("layout.tar"), "-C", layout]);
    const index = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")) as { manifests: { digest: string }[] };
    const [{ digest } = { digest: "" }] = index.manifests;
    const dockerfile =
      'FROM lay AS base\nRUN echo "$LAYOUT $(cat /made)" > /said\nFROM scratch\nCOPY --from=base /said /\nCOPY --from=lay /made /';
    for (const [number, place] of ["layout", "layout:tag", "layout:any", `layout@${digest}`, `layout:x@${digest}`].entries()) {
      const options = { store: `layout-store-${number % 2}` };
      const { code, stdout, stderr } = await box.build(
        files(dockerfile),
        ["--build-context", `lay=oci-layout://${place}`, "-o", "-"],
        options,
      );
      assert.equal(code, 0, stderr);
      assert.equal(readEntry(stdout, "said").toString(), "1 made\n");
      assert.match(stderr, /\[context lay\] OCI load from client/);
    }
  });

  test("S06 X13 scratch and the build's own context keep their meaning", async () => {
    const contexts = ["--build-context", `scratch=${lib}`, "--build-context", `context=${lib}`];
    const { code, stdout, stderr } = await box.build(files("FROM scratch\nCOPY main.txt /\nCOPY --from=context sub/b.txt /"), [
      ...contexts,
      "-o",
      "-",
    ]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(names(stdout), ["b.txt", "main.txt"]);
  });

  test("X08 an edit in a named context runs what reads the file again, and nothing else", async () => {
    const folder = box.write("edited", { "one.txt": "1", "two.txt": "2" });
    const dockerfile =
      "FROM busybox AS a\nCOPY --from=ed one.txt /\nFROM busybox\nCOPY --from=ed two.txt /\nCOPY --from=a /one.txt /";
    const run = async () => {
      const { code, stderr } = await box.build(files(dockerfile), ["--build-context", `ed=${folder}`]);
      assert.equal(code, 0, stderr);
      return readSteps(stderr).filter(({ end, name }) => end === "DONE" && / COPY /.test(name)).length;
    };
    assert.equal(await run(), 3);
    assert.equal(await run(), 0);
    appendFileSync(join(folder, "two.txt"), "more");
    assert.equal(await run(), 2);
    writeFileSync(join(folder, "unused"), "x");
    assert.equal(await run(), 0);
  });

  test("X08 CVE-2024-23651 links in a named context do not lead out of it", async () => {
    const folder = box.write("linked", { "real.txt": "real" });
    box.write("outside", { "canary.txt": "canary" });
    symlinkSync(box.path("outside"), join(folder, "out"));
    symlinkSync("../outside", join(folder, "up"));
    for (const line of [
      "COPY --from=ln out/canary.txt /",
      "COPY --from=ln up/canary.txt /",
      "RUN --mount=from=ln,source=out,target=/m cat /m/canary.txt",
      "RUN --mount=from=ln,source=up/canary.txt,target=/m cat /m",
    ]) {
      const { code, stderr } = await box.build(files(`FROM busybox\n${line}`), ["--build-context", `ln=${folder}`]);
      assert.equal(code, 1, line);
      assert.match(stderr, /not found/, line);
    }
  });
});

describeOnce("named contexts that cannot be", (box) => {
  const refused = async (value: string, message: RegExp) => {
    const { code, stderr } = await box.build({ Dockerfile: "FROM scratch\nCOPY Dockerfile /" }, ["--build-context", value]);
    assert.notEqual(code, 0, value);
    assert.match(stderr, message);
  };

  test("X11 X13 layouts that lie, lack something or are none are refused", async () => {
    const manifestOf = (config: string, layer: string) =>
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: "application/vnd.oci.image.manifest.v1+json",
          config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: config, size: 5 },
          layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: layer, size: 5 }],
        }),
      );
    const hex = "a".repeat(64);
    const manifest = manifestOf(`sha256:${hex}`, `sha256:${hex}`);
    const digest = digestOf(manifest);
    const blob = `blobs/sha256/${digest.slice(7)}`;
    const entry = (each: string) => ({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: each,
      size: manifest.length,
    });
    const index = (...manifests: unknown[]) => JSON.stringify({ schemaVersion: 2, manifests });
    const refused = async (name: string, content: Readonly<Record<string, string | Buffer>>, message: RegExp, suffix = "") => {
      const folder = box.write(`bad-${name}`, content);
      const { code, stderr } = await box.build(files("FROM lay"), ["--build-context", `lay=oci-layout://${folder}${suffix}`]);
      assert.notEqual(code, 0, name);
      assert.match(stderr, message, name);
      assert.doesNotMatch(stderr, /INTERNAL|TypeError/, name);
    };
    await refused("none", { file: "" }, /is no OCI image layout/);
    await refused("text", { "index.json": "{" }, /is no OCI image layout/);
    await refused(
      "shape",
      { "index.json": JSON.stringify({ schemaVersion: 2, manifests: [{ digest: "../../etc/passwd" }] }) },
      /is no OCI image layout/,
    );
    await refused("empty", { "index.json": index() }, /has no image with the tag latest/);
    await refused("two", { "index.json": index(entry(digest), entry(digest)) }, /has no image with the tag x/, ":x");
    await refused("missing", { "index.json": index(entry(digest)) }, /has no blob sha256:/);
    await refused("lying", { "index.json": index(entry(digest)), [blob]: `${manifest.toString()} ` }, /has other content/);
    await refused(
      "config",
      { "index.json": index(entry(digest)), [blob]: manifest, [`blobs/sha256/${hex}`]: "other" },
      /CONTENT_DIGEST_MISMATCH|does not|promised/,
    );
    await refused("digest", { "index.json": index(entry(digest)) }, /is not a digest/, "@sha256:../../../etc/passwd");
    const pipe = box.write("bad-pipe", { "index.json": index(entry(digest)), "blobs/sha256/": "" });
    execFileSync("mkfifo", [join(pipe, blob)]);
    const { code, stderr } = await box.build(files("FROM lay"), ["--build-context", `lay=oci-layout://${pipe}`]);
    assert.equal(code, 2, stderr);
  });

  test("B06 X12 wrong values of --build-context are refused with what is wrong", async () => {
    await refused("name", /invalid context value: name, expected key=value/);
    await refused("UPPER=.", /invalid context name UPPER/);
    await refused("=.", /invalid context name/);
    await refused("x=/no/such/folder", /failed to get build context x: \/no\/such\/folder is no folder/);
    await refused("x=target:other", /targets are for bake files/);
  });
});
