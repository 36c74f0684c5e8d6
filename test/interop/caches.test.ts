/** Caches between Varve and BuildKit, as Docker's engine has it: each reads what the other wrote. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test, type TestContext } from "node:test";
import { start } from "../kit/command.ts";
import { describeOnce } from "../kit/each-way.ts";
import { openDocker, type Engine } from "../kit/engines.ts";
import { stepsRun } from "../kit/progress.ts";
import { startRegistry, type Registry } from "../kit/registry.ts";
import { hasProgram } from "../kit/ways.ts";

/** Nothing that an engine without a network would have to fetch. */
const files = {
  Dockerfile: [
    "FROM scratch AS one",
    "WORKDIR /w",
    "COPY a.txt .",
    "FROM scratch",
    "COPY --from=one /w /copied",
    "COPY --link a.txt b.txt /",
    "",
  ].join("\n"),
  "a.txt": "a",
  "b.txt": "b",
};
const forms = ["mode=min", "mode=max", "mode=max,image-manifest=false", "mode=max,oci-mediatypes=false"];

describeOnce("caches and BuildKit", (box) => {
  let docker: Engine | string = "no Docker Engine was looked for";
  let registry: Registry | undefined;
  let context = "";
  const varve = async (store: string, ...args: string[]) =>
    (await box.succeed(["build", "--progress=plain", ...args, context], { store })).stderr;

  before(async () => {
    context = box.write("context", files);
    if (!hasProgram("docker-registry")) return;
    docker = await openDocker(box.path("docker"));
    if (typeof docker === "string") return;
    registry = await startRegistry(box.path("registry"));
    appendFileSync(box.path("varve.toml"), registry.settings);
  });

  /** BuildKit's progress of a build that only fills its cache. */
  async function buildx(...args: readonly string[]): Promise<string> {
    const { PATH = "", HOME = "/", DOCKER_HOST } = process.env;
    const env = { PATH, HOME, ...(DOCKER_HOST === undefined ? {} : { DOCKER_HOST }) };
    const command = ["docker", "buildx", "build", "--progress=plain", "--output=type=cacheonly", ...args, context];
    const { code, stderr } = await start(command, { env }).result;
    assert.equal(code, 0, stderr);
    return stderr;
  }

  function needed(t: TestContext): { readonly docker: Engine; readonly registry: Registry } | undefined {
    if (typeof docker !== "string" && registry !== undefined) return { docker, registry };
    t.skip(typeof docker === "string" ? docker : "there is no docker-registry");
    return undefined;
  }

  /** What BuildKit said of a cache that it imported. */
  const imported = (progress: string) => {
    const number = /^#(\d+) importing cache manifest/m.exec(progress)?.[1];
    assert.ok(number !== undefined, progress);
    return progress
      .split("\n")
      .filter((line) => line.startsWith(`#${number} `))
      .join("\n");
  };

  test("L60 L64 L65 BuildKit reads what Varve wrote, from a folder, a registry and an image, in every form", async (t) => {
    const peers = needed(t);
    if (peers === undefined) return;
    const { host } = peers.registry;
    for (const [index, form] of forms.entries()) {
      const folder = box.path(`ours-${index}`);
      const ref = `${host}/ours/cache:${index}`;
      const strict = `${form},ignore-error=false`;
      await varve("ours", `--cache-to=type=local,dest=${folder},${strict}`, `--cache-to=type=registry,ref=${ref},${strict}`);
      for (const place of [`type=local,src=${folder}`, `type=registry,ref=${ref}`]) {
        const said = imported(await buildx(`--cache-from=${place}`));
        assert.match(said, /inferred cache manifest type/, `${place} ${form}`);
        assert.match(said, /DONE/);
        assert.doesNotMatch(said, /ERROR/);
      }
    }
    const image = `${host}/ours/image:1`;
    await varve("ours", "-t", image, "--cache-to=type=inline");
    await box.succeed(["push", image], { store: "ours" });
    const said = imported(await buildx(`--cache-from=type=registry,ref=${image}`));
    assert.match(said, /DONE/);
    assert.doesNotMatch(said, /ERROR/);
  });

  test("L67 BuildKit says so where a cache cannot be read, and Varve of the same one too", async (t) => {
    if (needed(t) === undefined) return;
    const folder = box.path("broken");
    await varve("ours", `--cache-to=type=local,dest=${folder},ignore-error=false`);
    const put = (mediaType: string, value: unknown) => {
      const text = JSON.stringify(value);
      const digest = `sha256:${hash("sha256", text)}`;
      writeFileSync(join(folder, "blobs", digest.replace(":", "/")), text);
      return { mediaType, digest, size: text.length };
    };
    const loop = { records: [{ digest: `sha256:${"1".repeat(64)}`, inputs: [[{ link: 0 }]] }] };
    const config = put("application/vnd.buildkit.cacheconfig.v0", loop);
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const manifest = put(mediaType, { schemaVersion: 2, mediaType, config, layers: [] });
    const annotations = { "org.opencontainers.image.ref.name": "latest" };
    writeFileSync(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }));
    assert.match(imported(await buildx(`--cache-from=type=local,src=${folder}`)), /ERROR: .*loop/);
    assert.match(await varve("broken-store", `--cache-from=type=local,src=${folder}`), /left out: .*loop/);
  });

  test("L60 Q16 Varve reads what BuildKit wrote, in every form, and finds none of its own keys in it", async (t) => {
    const peers = needed(t);
    if (peers === undefined) return;
    const { host } = peers.registry;
    const driver = await peers.docker.run("info", "--format", "{{json .DriverStatus}}");
    if (!driver.includes("containerd")) return t.skip("this Docker Engine exports no caches: it has no containerd image store");
    const steps = stepsRun(await varve("without"));
    for (const [index, form] of forms.entries()) {
      const folder = box.path(`theirs-${index}`);
      const ref = `${host}/theirs/cache:${index}`;
      await buildx(`--cache-to=type=local,dest=${folder},${form}`);
      await buildx(`--cache-to=type=registry,ref=${ref},${form}`);
      assert.ok(existsSync(join(folder, "index.json")), readFileSync(box.path("varve.toml"), "utf8"));
      for (const place of [`type=local,src=${folder}`, `type=registry,ref=${ref}`]) {
        const progress = await varve(`reads-${index}-${place.length}`, `--cache-from=${place}`);
        assert.doesNotMatch(progress, /left out|ERROR/, `${place} ${form}`);
        assert.deepEqual(stepsRun(progress), steps);
      }
    }
  });

  test("what was started is stopped", async () => {
    await registry?.stop();
    if (typeof docker !== "string") await docker.stop();
  });
});
