/** Every attribute of every output: what it makes, and what is refused. */
import assert from "node:assert/strict";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { after, before, test } from "node:test";
import { describeArchive, digestOf, listArchive, readEntry } from "../kit/archive.ts";
import { describeEachWay, describeOnce } from "../kit/each-way.ts";
import { startRegistry, type Registry } from "../kit/registry.ts";

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: { readonly architecture: string; readonly os: string };
}

interface Document {
  readonly mediaType: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly manifests: readonly Descriptor[];
  readonly layers: readonly Descriptor[];
  readonly config: Descriptor;
}

const two = ["--platform=linux/amd64,linux/arm64"];
const files = {
  Dockerfile: "FROM scratch\nARG TARGETARCH\nCOPY shared /shared\nCOPY $TARGETARCH /own\n",
  shared: "the same for both",
  amd64: "for amd64",
  arm64: "for arm64",
};

/** A document of an archive, or of a layout in a folder; its digest is checked. */
function readDocument(place: Buffer | string, { digest }: Pick<Descriptor, "digest">): Document {
  const path = `blobs/${digest.replace(":", "/")}`;
  const bytes = typeof place === "string" ? readFileSync(`${place}/${path}`) : readEntry(place, path);
  assert.equal(digestOf(bytes), digest);
  return JSON.parse(bytes.toString()) as Document;
}

const readIndex = (place: Buffer | string): Document =>
  JSON.parse(
    (typeof place === "string" ? readFileSync(`${place}/index.json`) : readEntry(place, "index.json")).toString(),
  ) as Document;

describeEachWay("exporters", (box) => {
  const out = box.write("out", { "kept/old": "old" });

  test("E03 E10 E29 E32 E34 B03 B16 one build of two platforms makes an index with annotations, a layout, folders and an archive", async () => {
    const annotated = [
      `type=oci,dest=${out}/index.tar,compression=zstd`,
      "annotation.all=manifests",
      "annotation[linux/arm64].one=manifest",
      "annotation-manifest-descriptor.d=e",
      "annotation-index-descriptor.k=l",
    ].join(",");
    const made = await box.build(files, [
      ...two,
      "-t",
      "several:1",
      "--annotation=index:i=j",
      `--metadata-file=${out}/metadata.json`,
      "-o",
      annotated,
      "-o",
      `type=local,dest=${out}/folders`,
      "-o",
      `type=tar,dest=${out}/folders.tar`,
    ]);
    assert.equal(made.code, 0, made.stderr);
    const archive = readFileSync(`${out}/index.tar`);
    const [named] = readIndex(archive).manifests;
    assert.ok(named);
    assert.equal(named.mediaType, "application/vnd.oci.image.index.v1+json");
    assert.deepEqual(named.annotations, {
      "io.containerd.image.name": "docker.io/library/several:1",
      k: "l",
      "org.opencontainers.image.ref.name": "1",
    });
    const index = readDocument(archive, named);
    assert.deepEqual(index.annotations, { i: "j" });
    assert.deepEqual(
      index.manifests.map(({ platform, annotations }) => [platform, annotations]),
      [
        [{ architecture: "amd64", os: "linux" }, { d: "e" }],
        [{ architecture: "arm64", os: "linux" }, { d: "e" }],
      ],
    );
    const [amd, arm] = index.manifests.map((manifest) => readDocument(archive, manifest));
    assert.deepEqual(amd?.annotations, { all: "manifests" });
    assert.deepEqual(arm?.annotations, { all: "manifests", one: "manifest" });
    assert.equal(amd?.layers[0]?.digest, arm?.layers[0]?.digest, "what platforms share is there once");
    assert.ok([...(amd?.layers ?? []), ...(arm?.layers ?? [])].every(({ mediaType }) => mediaType.endsWith(".tar+zstd")));
    const metadata = JSON.parse(readFileSync(`${out}/metadata.json`, "utf8")) as Record<string, unknown>;
    assert.equal(metadata["containerimage.digest"], named.digest);
    assert.equal(metadata["image.name"], "docker.io/library/several:1");
    assert.equal("containerimage.config.digest" in metadata, false);

    assert.deepEqual(readdirSync(`${out}/folders`), ["linux_amd64", "linux_arm64"]);
    assert.equal(readFileSync(`${out}/folders/linux_arm64/own`, "utf8"), "for arm64");
    assert.deepEqual(listArchive(readFileSync(`${out}/folders.tar`)), [
      "linux_amd64/",
      "linux_amd64/own",
      "linux_amd64/shared",
      "linux_arm64/",
      "linux_arm64/own",
      "linux_arm64/shared",
    ]);
  });

  test("E05 platform-split can be had for one platform and left away for several, as long as no file is in two", async () => {
    const one = await box.build(files, ["-o", `type=local,dest=${out}/split,platform-split=true`]);
    assert.equal(one.code, 0, one.stderr);
    assert.deepEqual(readdirSync(`${out}/split`), [`linux_${process.arch === "arm64" ? "arm64" : "amd64"}`]);
    const both = ["-o", `type=local,dest=${out}/merged,platform-split=false`];
    const colliding = await box.build(files, [...two, ...both]);
    assert.notEqual(colliding.code, 0);
    assert.match(colliding.stderr, /cannot overwrite own from linux\/amd64 with linux\/arm64 when split option is disabled/);
    const apart = { ...files, Dockerfile: "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /bin/$TARGETARCH\n" };
    const merged = await box.build(apart, [...two, ...both]);
    assert.equal(merged.code, 0, merged.stderr);
    assert.deepEqual(readdirSync(`${out}/merged/bin`), ["amd64", "arm64"]);
  });

  test("B02 E05 mode=delete leaves in the folder what the result has, follows no link, and needs leave outside of the working folder", async () => {
    const target = box.write("out/exact", { "linux_arm64/old": "", "stale/file": "", shared: "old" });
    box.write("elsewhere", { safe: "safe" });
    symlinkSync(box.path("elsewhere"), `${target}/link`);
    const output = ["-o", `type=local,dest=${target},mode=delete`];
    const refused = await box.build(files, output, { cwd: box.path("home") });
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /requires --allow=buildx\.local\.delete/);
    const made = await box.build(files, [...output, "--allow=buildx.local.delete"], { cwd: box.path("home") });
    assert.equal(made.code, 0, made.stderr);
    assert.deepEqual(readdirSync(target).toSorted(), ["own", "shared"]);
    assert.equal(readFileSync(`${target}/shared`, "utf8"), files.shared);
    assert.equal(readFileSync(box.path("elsewhere", "safe"), "utf8"), "safe");
    const split = await box.build(files, [...two, ...output]);
    assert.equal(split.code, 0, split.stderr);
    assert.deepEqual(readdirSync(target).toSorted(), ["linux_amd64", "linux_arm64"]);
    assert.deepEqual(readdirSync(`${target}/linux_arm64`).toSorted(), ["own", "shared"]);
  });

  test("E27 E28 E33 the source date epoch is the time of files in folders and archives, and the latest one in rewritten layers", async () => {
    const epoch = 1_234_567;
    const own = { ...files, Dockerfile: "FROM scratch\nCOPY shared /shared\n" };
    const times = async (attributes: string, env: Record<string, string> = {}) => {
      const made = await box.build(own, ["-t", "dated:1", "-o", `type=oci,dest=${out}/dated.tar${attributes}`], { env });
      assert.equal(made.code, 0, made.stderr);
      const archive = readFileSync(`${out}/dated.tar`);
      const [named] = readIndex(archive).manifests;
      assert.ok(named);
      const manifest = readDocument(archive, named);
      const config = readDocument(archive, manifest.config) as unknown as { created: string; rootfs: { diff_ids: string[] } };
      return { named, created: config.created, diffIds: config.rootfs.diff_ids, warned: made.stderr };
    };
    const plain = await times("");
    const dated = await times(`,source-date-epoch=${epoch}`);
    assert.equal(dated.created, "1970-01-15T06:56:07Z");
    assert.equal(dated.named.annotations?.["org.opencontainers.image.created"], "1970-01-15T06:56:07Z");
    assert.deepEqual(dated.diffIds, plain.diffIds);
    const rewritten = await times(",rewrite-timestamp=true", { SOURCE_DATE_EPOCH: String(epoch) });
    assert.notDeepEqual(rewritten.diffIds, plain.diffIds);
    assert.deepEqual((await times(`,rewrite-timestamp=true,source-date-epoch=${epoch}`)).diffIds, rewritten.diffIds);
    assert.match((await times(",rewrite-timestamp=true")).warned, /no source-date-epoch was found/);
    const outputs = ["-o", `type=local,dest=${out}/dated`, "-o", `type=tar,dest=${out}/files.tar`];
    const made = await box.build(own, outputs, { env: { SOURCE_DATE_EPOCH: String(epoch) } });
    assert.equal(made.code, 0, made.stderr);
    assert.equal(statSync(`${out}/dated/shared`).mtimeMs, epoch * 1000);
    assert.match(describeArchive(readFileSync(`${out}/files.tar`)).join("\n"), /1970-01-15 06:56:07 shared$/m);
  });

  test("E01 E04 --load and type=docker without a place put the image into the store; of several platforms this machine's gets the name", async () => {
    const made = await box.build(files, [...two, "--load", "-t", "several:2", `--iidfile=${out}/id`]);
    assert.equal(made.code, 0, made.stderr);
    const { stdout } = await box.succeed(["inspect", "-f", "{{.Architecture}}", "several:2"]);
    assert.equal(stdout.toString().trim(), process.arch === "arm64" ? "arm64" : "amd64");
    assert.match(readFileSync(`${out}/id`, "utf8"), /^sha256:[0-9a-f]{64}$/);
  });

  test("E03 tar=false puts images into a layout in a folder, each name once", async () => {
    const layout = `${out}/layout`;
    const build = async (tag: string, text: string) => {
      const made = await box.build({ ...files, shared: text }, ["-t", tag, "-o", `type=oci,tar=false,dest=${layout}`]);
      assert.equal(made.code, 0, made.stderr);
    };
    await build("one:1", "first");
    const [first] = readIndex(layout).manifests;
    await build("two:2", "other");
    await build("one:1", "second");
    const index = readIndex(layout);
    assert.deepEqual(
      index.manifests.map(({ annotations }) => annotations?.["io.containerd.image.name"]),
      ["docker.io/library/two:2", "docker.io/library/one:1"],
    );
    assert.notEqual(index.manifests[1]?.digest, first?.digest);
    for (const manifest of index.manifests)
      for (const layer of readDocument(layout, manifest).layers)
        assert.ok(existsSync(`${layout}/blobs/${layer.digest.replace(":", "/")}`));
    assert.equal(readFileSync(`${layout}/oci-layout`, "utf8"), '{"imageLayoutVersion":"1.0.0"}');
  });

  test("E04 E21 E23 E29 what contradicts itself or what was built is refused", async () => {
    const refuses = async (args: readonly string[], message: RegExp) => {
      const { code, stderr } = await box.build(files, args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    };
    const to = `type=oci,dest=${out}/none.tar`;
    await refuses(["-o", `${to},annotation-index.a=b`], /index annotations not supported for single platform export/);
    await refuses(["-o", `${to},annotation[linux/s390x].a=b`], /no platform linux\/s390x found in source/);
    await refuses(["-o", `${to},oci-mediatypes=false,annotation-manifest-descriptor.a=b`], /oci-mediatypes=false/);
    await refuses([...two, "-o", `type=docker,dest=${out}/none.tar`], /does not support exporting manifest lists/);
    await refuses(["--push"], /tag is needed when pushing to registry/);
    assert.equal(existsSync(`${out}/none.tar`), false);
  });
});

describeOnce("exporters with a base image and a registry", (box) => {
  let registry: Registry;
  const out = box.path("out");
  const dockerfile = { Dockerfile: "FROM busybox\nRUN echo new > /new\n" };
  const name = (rest: string) => `${registry.host}/team/${rest}`;
  const fetchDocument = async (repository: string, reference: string): Promise<{ type: string | null; document: Document }> => {
    const accept = ["index", "manifest"].map((kind) => `application/vnd.oci.image.${kind}.v1+json`);
    const docker = ["manifest", "manifest.list"].map((kind) => `application/vnd.docker.distribution.${kind}.v2+json`);
    const answer = await fetch(`http://${registry.host}/v2/team/${repository}/manifests/${reference}`, {
      headers: { accept: [...accept, ...docker].join() },
    });
    return { type: answer.headers.get("content-type"), document: (await answer.json()) as Document };
  };

  before(async () => {
    mkdirSync(out);
    registry = await startRegistry(box.path("registry"));
    appendFileSync(box.path("varve.toml"), registry.settings);
  });
  after(async () => await registry.stop());

  test("E20 E21 E22 E23 E26 new layers are compressed as asked; those of the base when forced, and media types are of one family", async () => {
    const layersOf = async (attributes: string) => {
      const made = await box.build(dockerfile, ["-o", `type=oci,dest=${out}/c.tar,${attributes}`]);
      assert.equal(made.code, 0, made.stderr);
      const archive = readFileSync(`${out}/c.tar`);
      const [named] = readIndex(archive).manifests;
      const manifest = readDocument(archive, named as Descriptor);
      const blob = ({ digest }: Descriptor) => readEntry(archive, `blobs/${digest.replace(":", "/")}`);
      return { ...manifest, first: manifest.layers.map((layer) => blob(layer).subarray(0, 4).toString("hex")) };
    };
    const kinds = ({ layers }: { readonly layers: readonly Descriptor[] }) =>
      layers.map(({ mediaType }) => mediaType.replace(/.*tar/, "tar"));
    const mixed = await layersOf("compression=zstd,compression-level=10");
    assert.deepEqual(kinds(mixed), ["tar+gzip", "tar+zstd"]);
    const forced = await layersOf("compression=zstd,force-compression=true");
    assert.deepEqual(kinds(forced), ["tar+zstd", "tar+zstd"]);
    assert.deepEqual(forced.first, ["28b52ffd", "28b52ffd"]);
    const plain = await layersOf("compression=uncompressed,force-compression=true,prefer-nondist-layers=true");
    assert.deepEqual(kinds(plain), ["tar", "tar"]);
    const docker = await layersOf("oci-mediatypes=false");
    assert.equal(docker.mediaType, "application/vnd.docker.distribution.manifest.v2+json");
    assert.equal(docker.config.mediaType, "application/vnd.docker.container.image.v1+json");
    assert.deepEqual(
      docker.layers.map(({ mediaType }) => mediaType),
      Array(2).fill("application/vnd.docker.image.rootfs.diff.tar.gzip"),
    );
  });

  test("E27 rewrite-timestamp leaves the base's layers as they are; the rewritten image is in the store and is a base itself", async () => {
    const attributes = `type=image,rewrite-timestamp=true,source-date-epoch=99`;
    const made = await box.build(dockerfile, ["-t", "rewritten", "-o", attributes, "-o", `type=oci,dest=${out}/plain.tar`]);
    assert.equal(made.code, 0, made.stderr);
    const layers = async (image: string) =>
      JSON.parse((await box.succeed(["inspect", "-f", "{{json .RootFS.Layers}}", image])).stdout.toString()) as string[];
    const archive = readFileSync(`${out}/plain.tar`);
    const manifest = readDocument(archive, readIndex(archive).manifests[0] as Descriptor);
    const { diff_ids: plain } = (readDocument(archive, manifest.config) as unknown as { rootfs: { diff_ids: string[] } }).rootfs;
    const rewritten = await layers("rewritten");
    assert.equal(rewritten[0], plain[0]);
    assert.notEqual(rewritten[1], plain[1]);
    const child = await box.build({ Dockerfile: "FROM rewritten\nRUN test $(stat -c %Y /new) = 99\n" });
    assert.equal(child.code, 0, child.stderr);
  });

  test("B25 B31 E01 E02 E35 --push sends an index of two platforms under every tag, and the store knows it by its digest", async () => {
    const tags = ["-t", name("app:1"), "-t", name("app:2")];
    const made = await box.build(files, [...two, "--push", ...tags, "--annotation=index:a=b", `--metadata-file=${out}/m.json`]);
    assert.equal(made.code, 0, made.stderr);
    const { "containerimage.digest": digest, "image.name": names } = JSON.parse(readFileSync(`${out}/m.json`, "utf8")) as Record<
      string,
      string
    >;
    assert.equal(names, `${name("app:1")},${name("app:2")}`);
    for (const tag of ["1", "2", digest ?? ""]) {
      const { type, document } = await fetchDocument("app", tag);
      assert.equal(type, "application/vnd.oci.image.index.v1+json");
      assert.deepEqual(
        document.manifests.map(({ platform }) => platform?.architecture),
        ["amd64", "arm64"],
      );
      assert.deepEqual(document.annotations, { a: "b" });
    }
    const { stdout } = await box.succeed(["inspect", "-f", "{{.RepoDigests}}", name("app:1")]);
    assert.match(stdout.toString(), new RegExp(`${digest}`));
    await box.succeed(["tag", name("app:1"), name("again:3")]);
    await box.succeed(["push", name("again:3")]);
    assert.deepEqual((await fetchDocument("again", "3")).document, (await fetchDocument("app", digest ?? "")).document);
    await box.succeed(["pull", "--platform=linux/arm64", name("app:2")], { store: "other" });
  });

  test("E20 E29 E35 an image that was built with settings of its own is pushed with them later", async () => {
    const made = await box.build(files, ["-t", name("later:1"), "-o", "type=image,compression=zstd,annotation.a=b"]);
    assert.equal(made.code, 0, made.stderr);
    await box.succeed(["push", name("later:1")]);
    const { document } = await fetchDocument("later", "1");
    assert.deepEqual(document.annotations, { a: "b" });
    assert.ok(document.layers.every(({ mediaType }) => mediaType.endsWith("+zstd")));
  });

  test("E01 E23 push-by-digest sends without a tag; name-canonical and dangling-name-prefix name the image by its digest", async () => {
    const output = `type=image,"name=${name("digested")}",push=true,push-by-digest=true,store=false,oci-mediatypes=false`;
    const made = await box.build(files, ["-o", output.replaceAll('"', ""), `--metadata-file=${out}/m.json`]);
    assert.equal(made.code, 0, made.stderr);
    const { "containerimage.digest": digest = "" } = JSON.parse(readFileSync(`${out}/m.json`, "utf8")) as Record<string, string>;
    assert.equal((await fetchDocument("digested", digest)).type, "application/vnd.docker.distribution.manifest.v2+json");
    const { tags } = (await (await fetch(`http://${registry.host}/v2/team/digested/tags/list`)).json()) as {
      tags: string[] | null;
    };
    assert.ok(tags === null || tags === undefined || tags.length === 0);
    const tagged = await box.build(files, ["-o", `${output.replaceAll('"', "").replace("digested", "digested:1")}`]);
    assert.equal(tagged.code, 2);
    assert.match(tagged.stderr, /can't push tagged ref .*digested:1 by digest/);
    const named = await box.build(files, [
      "-t",
      "named:1",
      "-o",
      "type=image,name-canonical=true,dangling-name-prefix=loose",
      `--metadata-file=${out}/m.json`,
    ]);
    assert.equal(named.code, 0, named.stderr);
    const metadata = JSON.parse(readFileSync(`${out}/m.json`, "utf8")) as Record<string, string>;
    const own = metadata["containerimage.digest"] ?? "";
    assert.equal(metadata["image.name"], `docker.io/library/named:1,docker.io/library/named@${own},loose@${own}`);
    await box.succeed(["inspect", `named@${own}`]);
  });

  test("E35 a push that fails has exit code 7, and the image is in the store", async () => {
    await registry.stop();
    const { code, stderr } = await box.build(files, ["--push", "-t", name("late:1")]);
    assert.equal(code, 7, stderr);
    assert.match(stderr, /\[PUSH_FAILED\]/);
    await box.succeed(["inspect", name("late:1")]);
  });
});
