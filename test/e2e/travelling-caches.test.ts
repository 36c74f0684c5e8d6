/** Caches that travel: written in one store, used in a fresh one, and what happens when they are damaged or cannot be had. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { appendFileSync, chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { describeEachWay, describeOnce } from "../kit/each-way.ts";
import { readSteps, stepsRun } from "../kit/progress.ts";
import { startRegistry, type Registry } from "../kit/registry.ts";

/** Stages that are copied from and mounted, a step whose result differs each time, and a file of the context. */
const dockerfile = [
  "FROM busybox AS made",
  "WORKDIR /src",
  "COPY word.txt .",
  "RUN cat word.txt > made.txt; head -c 16 /dev/urandom | sha1sum > random.txt",
  "FROM busybox",
  "RUN echo base > /base",
  "COPY --from=made /src/made.txt /src/random.txt /out/",
  "RUN --mount=from=made,source=/src,target=/src cat /src/word.txt > /mounted",
  "COPY --link word.txt /linked/",
].join("\n");
const files = { Dockerfile: dockerfile, "word.txt": "word" };

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
}

const readJson = (path: string) => JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
const blobPath = (folder: string, digest: string) => join(folder, "blobs", digest.replace(":", "/"));

/** The manifest of a cache folder with one cache, and its layers. */
function manifestOf(folder: string): { readonly config: Descriptor; readonly layers: readonly Descriptor[] } {
  const [manifest] = readJson(join(folder, "index.json"))["manifests"] as Descriptor[];
  return readJson(blobPath(folder, manifest?.digest ?? "")) as ReturnType<typeof manifestOf>;
}

describeEachWay("caches that travel in a folder", (box) => {
  let context = "";
  let edited = "";
  let steps: readonly string[] = [];
  const buildIn = async (folder: string, store: string, ...args: string[]) =>
    (await box.succeed(["build", "--progress=plain", ...args, folder], { store })).stderr;
  const build = async (store: string, ...args: string[]) => await buildIn(context, store, ...args);
  const idOf = async (store: string) =>
    (await box.succeed(["inspect", "-f", "{{.Id}}", "app"], { store })).stdout.toString().trim();
  const from = (name: string) => `--cache-from=type=local,src=${box.path(name)}`;
  const to = (name: string, more = "") => `--cache-to=type=local,dest=${box.path(name)},ignore-error=false${more}`;

  before(async () => {
    context = box.write("context", files);
    edited = box.write("edited", { ...files, Dockerfile: dockerfile.replace("cat /src/word.txt", "cat /src/random.txt") });
    const first = await build("first", "-t", "app", to("min"), to("max", ",mode=max"), `--metadata-file=${box.path("metadata")}`);
    steps = stepsRun(first);
    assert.equal(steps.length, 8);
    assert.match(first, /exporting cache to client directory/);
    assert.match(first, /writing cache image manifest sha256:/);
  });

  for (const mode of ["min", "max"]) {
    test(`Q03 Q10 mode=${mode}: a fresh store has all from it, and the same image`, async () => {
      const store = `fresh-${mode}`;
      const progress = await build(store, "-t", "app", from(mode));
      assert.deepEqual(stepsRun(progress), []);
      assert.match(progress, /importing cache manifest from local:/);
      assert.equal(await idOf(store), await idOf("first"));
      assert.deepEqual(stepsRun(await build(store)), [], "what was imported is the store's own from then on");
    });
  }

  test("Q10 a change runs what depends on it; mode=max spares what does not, mode=min what the result's layers hold", async () => {
    const changed = "RUN --mount=from=made,source=/src,target=/src cat /src/random.txt > /mounted";
    assert.deepEqual(stepsRun(await buildIn(edited, "changed-max", from("max"))), [
      `LINK COPY --link word.txt /linked/`,
      changed,
    ]);
    const min = stepsRun(await buildIn(edited, "changed-min", from("min")));
    assert.ok(min.includes(changed) && min.some((step) => step.startsWith("RUN cat word.txt")), min.join());
    assert.ok(!min.includes("RUN echo base > /base"), min.join());
  });

  test("Q10 what was imported is handed on by an export of mode=max, whole, from a store that never had it", async () => {
    const progress = await build("relay", from("max"), to("relayed", ",mode=max"));
    assert.deepEqual(stepsRun(progress), []);
    assert.deepEqual(readJson(join(box.path("relayed"), "index.json")), readJson(join(box.path("max"), "index.json")));
  });

  test("Q14 the metadata name the manifest; L63 the same cache is the same manifest", async () => {
    const { "cache.manifest": manifest } = readJson(box.path("metadata"));
    const [written] = readJson(join(box.path("max"), "index.json"))["manifests"] as Descriptor[];
    assert.equal((manifest as Descriptor).digest, written?.digest);
    await build("first", to("again", ",mode=max"));
    assert.deepEqual(readJson(join(box.path("again"), "index.json")), readJson(join(box.path("max"), "index.json")));
  });

  test("Q02 the manifest's form and the layers' compression are as asked for, and each is read", async () => {
    const forms = [
      ["image-manifest=false", /^application\/vnd\.oci\.image\.layer\.v1\.tar\+gzip$/],
      ["oci-mediatypes=false,mode=max", /^application\/vnd\.docker\.image\.rootfs\.diff\.tar\.gzip$/],
      ["compression=zstd,compression-level=1,force-compression=true", /^application\/vnd\.oci\.image\.layer\.v1\.tar\+zstd$/],
      ["compression=uncompressed,force-compression=true,mode=max", /^application\/vnd\.oci\.image\.layer\.v1\.tar$/],
    ] as const;
    for (const [index, [form, mediaType]] of forms.entries()) {
      await build("first", to(`form-${index}`, `,${form}`));
      const folder = box.path(`form-${index}`);
      const [root] = readJson(join(folder, "index.json"))["manifests"] as Descriptor[];
      const { manifests, layers } = readJson(blobPath(folder, root?.digest ?? "")) as Record<string, Descriptor[] | undefined>;
      assert.equal(manifests === undefined, !/false/.test(form), form);
      for (const layer of layers ?? manifests?.slice(0, -1) ?? []) assert.match(layer.mediaType, mediaType, form);
      assert.deepEqual(stepsRun(await build(`reads-${index}`, from(`form-${index}`))), [], form);
    }
  });

  test("Q11 Q03 a cache that is not there is a warning, and another is used", async () => {
    const progress = await build(
      "without",
      from("nowhere"),
      `--cache-from=type=local,src=${box.path("max")},tag=other`,
      from("max"),
    );
    assert.deepEqual(stepsRun(progress), []);
    assert.match(progress, /CacheImportFailed: the cache local:.*nowhere is left out: there is no cache with the tag latest/);
    assert.match(progress, /no cache with the tag other/);
  });

  test("a damaged layer runs the steps that it would have spared; the image is right, and the store has nothing of it", async () => {
    await build("first", to("damaged"));
    const folder = box.path("damaged");
    for (const { digest } of manifestOf(folder).layers) {
      const blob = readFileSync(blobPath(folder, digest));
      blob[blob.length - 1] = (blob.at(-1) ?? 0) ^ 1;
      chmodSync(blobPath(folder, digest), 0o644);
      writeFileSync(blobPath(folder, digest), blob);
    }
    const out = box.path("after-damage-files");
    const progress = await build("after-damage", "-o", out, from("damaged"));
    assert.match(progress, /CacheImportFailed: layers of an imported cache could not be had/);
    assert.deepEqual(stepsRun(progress), steps);
    for (const file of ["out/made.txt", "mounted", "linked/word.txt"])
      assert.equal(readFileSync(join(out, file), "utf8"), "word");
    assert.deepEqual(readdirSync(box.path("after-damage", "ingest")), []);
  });

  test("a layer that unpacks to something else than its diff ID is refused, and so are loops and large documents", async () => {
    await build("first", to("forged"));
    const folder = box.path("forged");
    const put = (mediaType: string, value: unknown) => {
      const text = JSON.stringify(value);
      const digest = `sha256:${hash("sha256", text)}`;
      writeFileSync(blobPath(folder, digest), text);
      return { mediaType, digest, size: text.length };
    };
    const forge = (change: (manifest: { config: unknown; layers: readonly Descriptor[] }) => unknown): void => {
      const root = put("application/vnd.oci.image.manifest.v1+json", change(manifestOf(box.path("min"))));
      const annotations = { "org.opencontainers.image.ref.name": "latest" };
      writeFileSync(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [{ ...root, annotations }] }));
    };
    const withConfig = (value: unknown) => (manifest: object) => ({
      ...manifest,
      config: put("application/vnd.buildkit.cacheconfig.v0", value),
    });
    forge((manifest) => ({
      ...manifest,
      layers: manifest.layers.map((layer) => ({
        ...layer,
        annotations: { "containerd.io/uncompressed": `sha256:${"0".repeat(64)}` },
      })),
    }));
    const lying = await build("lied-to", "-t", "app", from("forged"));
    assert.match(lying, /unpacks to sha256:/);
    assert.deepEqual(stepsRun(lying), steps);

    forge(withConfig({ records: [{ digest: "sha256:1", inputs: [[{ link: 0 }]] }] }));
    assert.match(await build("looped", from("forged")), /left out: the cache config is not valid: .* loop/);
    forge(withConfig({ records: [{ digest: "x".repeat(1 << 20) }] }));
    assert.match(await build("large", from("forged")), /left out: the cache config has \d+ bytes, more than the limit/);
  });

  test("a failed export is told loudly and does not fail the build, unless asked", async () => {
    writeFileSync(box.path("a-file"), "");
    const dest = join(box.path("a-file"), "cache");
    const told = await build("first", `--cache-to=type=local,dest=${dest}`);
    assert.match(told, /ERROR: cannot write the cache folder/);
    assert.match(told, /CacheExportFailed: exporting cache to client directory failed/);
    const strict = ["build", `--cache-to=type=local,dest=${dest},ignore-error=false`, context];
    const { code, stderr } = await box.varve(strict, { store: "first" });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /\[CACHE_EXPORT_FAILED\]/);
  });

  test("kill -9 in the middle of an export leaves the old cache whole", async () => {
    box.write("big", {
      Dockerfile: "FROM busybox\nRUN head -c 15000000 /dev/urandom > /big; head -c 15000000 /dev/urandom > /big2\n",
    });
    await build("first", to("killed"));
    const index = readFileSync(join(box.path("killed"), "index.json"));
    await box.succeed(["build", box.path("big")], { store: "first" });
    const running = box.start(
      ["build", "--progress=plain", to("killed", ",mode=max,compression=uncompressed,reset=true"), box.path("big")],
      { store: "first" },
    );
    await running.waitFor(/writing layer/);
    running.kill("SIGKILL");
    await running.result;
    const isWhole = readFileSync(join(box.path("killed"), "index.json")).equals(index);
    assert.ok(isWhole || existsSync(join(box.path("killed"), "oci-layout")));
    if (isWhole) assert.deepEqual(stepsRun(await build("after-kill", from("killed"))), []);
    for (const { digest } of manifestOf(box.path("killed")).layers)
      assert.ok(statSync(blobPath(box.path("killed"), digest)).size > 0);
  });

  test("Q13 a build without layers has no cache to write, and says so", async () => {
    box.write("empty", { Dockerfile: "FROM scratch\nCMD x\n" });
    const { stderr } = await box.succeed(["build", "--progress=plain", to("none"), box.path("empty")]);
    assert.match(stderr, /skipping cache export for empty result/);
    assert.ok(!existsSync(box.path("none", "index.json")));
  });

  test("--no-cache runs all, with an imported cache too, and what it writes serves a fresh store", async () => {
    const ran = stepsRun(await build("uncached", "--no-cache", from("max"), to("renewed")));
    assert.deepEqual(
      ran.filter((step) => step.startsWith("RUN")),
      steps.filter((step) => step.startsWith("RUN")),
    );
    assert.deepEqual(stepsRun(await build("fresh-renewed", from("renewed"))), []);
  });
});

describeOnce("caches that travel through a registry", (box) => {
  let registry: Registry;
  let context = "";
  let edited = "";
  const buildIn = async (folder: string, store: string, ...args: string[]) =>
    (await box.succeed(["build", "--progress=plain", ...args, folder], { store })).stderr;
  const build = async (store: string, ...args: string[]) => await buildIn(context, store, ...args);
  const name = (tag: string) => `${registry.host}/team/cache:${tag}`;

  before(async () => {
    registry = await startRegistry(box.path("registry"));
    appendFileSync(box.path("varve.toml"), registry.settings);
    context = box.write("context", files);
    edited = box.write("edited", { ...files, Dockerfile: dockerfile.replace("cat /src/word.txt", "cat /src/random.txt") });
  });

  test("Q02 Q10 a fresh store has all from a registry, in either mode; a bare name is a registry's", async () => {
    await build("first", `--cache-to=type=registry,ref=${name("min")},ignore-error=false`, `--cache-to=${name("bare")}`);
    await build("first", `--cache-to=type=registry,ref=${name("max")},mode=max,image-manifest=false,ignore-error=false`);
    for (const tag of ["min", "max", "bare"])
      assert.deepEqual(stepsRun(await build(`fresh-${tag}`, `--cache-from=${name(tag)}`)), [], tag);
  });

  test("Q02 layers go from one repository of a registry to the next, and the cache is whole there", async () => {
    const other = `${registry.host}/other/cache:max`;
    const relay = await build(
      "relay",
      `--cache-from=${name("max")}`,
      `--cache-to=type=registry,ref=${other},mode=max,ignore-error=false`,
    );
    assert.deepEqual(stepsRun(relay), []);
    assert.equal(stepsRun(await buildIn(edited, "after-relay", `--cache-from=${other}`)).length, 2);
  });

  test("A13 Q01 Q16 L66 an image carries its own cache, by the flag or the build argument, through a push", async () => {
    for (const [tag, flag] of [
      ["flag", "--cache-to=type=inline"],
      ["argument", "--build-arg=BUILDKIT_INLINE_CACHE=1"],
    ] as const) {
      const image = `${registry.host}/team/app:${tag}`;
      await build("first", "-t", image, flag);
      await box.succeed(["push", image], { store: "first" });
      assert.deepEqual(stepsRun(await build(`inline-${tag}`, `--cache-from=type=registry,ref=${image}`)), []);
    }
    const child = box.write("child", { Dockerfile: `FROM ${registry.host}/team/app:flag\nLABEL a=b\n` });
    await box.succeed(["build", "-t", "child", child], { store: "first" });
    const archive = await box.succeed(["save", "child"], { store: "first" });
    assert.ok(!archive.stdout.includes("moby.buildkit.cache.v0"), "a base's cache is not its child's");
  });

  test("Q11 an image without a cache and a missing tag are warnings", async () => {
    const plain = `${registry.host}/team/app:plain`;
    await build("first", "-t", plain);
    await box.succeed(["push", plain], { store: "first" });
    const progress = await build("warned", `--cache-from=${plain}`, `--cache-from=${name("missing")}`);
    assert.match(progress, /left out: there is an image, but no cache in it/);
    assert.match(progress, /cache:missing is left out/);
    assert.ok(readSteps(progress).length > 0);
  });

  test("Q11 a registry that is gone fails neither what reads a cache from it nor what writes one to it", async () => {
    await registry.stop();
    const progress = await build("first", `--cache-from=${name("max")}`, `--cache-to=${name("gone")}`);
    assert.deepEqual(stepsRun(progress), []);
    assert.match(progress, /CacheExportFailed/);
  });
});
