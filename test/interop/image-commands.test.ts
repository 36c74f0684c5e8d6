/** The commands of images beside a real Docker Engine's, word for word, over the same images. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { openDocker, type Engine } from "../kit/engines.ts";
import { makeSandbox } from "../kit/sandbox.ts";
import { startRegistry, type Registry } from "../kit/registry.ts";

const box = makeSandbox();
const found = await openDocker(box.path("docker"));
const docker: Engine | undefined = typeof found === "string" ? undefined : found;
const skip = typeof found === "string" ? found : false;
const hasBuildx = spawnSync("docker", ["buildx", "version"], { stdio: "ignore" }).status === 0;

let registry: Registry;
const at = (name: string) => `${registry.host}/${name}`;

before(async () => {
  if (docker === undefined) return;
  registry = await startRegistry(box.path("registry"));
  appendFileSync(box.path("varve.toml"), `\n${registry.settings}`);
  const context = box.write("context", {
    Dockerfile:
      'FROM busybox\nENV A="b c"\nRUN echo 1 > /one\nLABEL org.example.name=word other=x\nEXPOSE 80/udp\nENTRYPOINT ["/bin/sh"]\n',
  });
  await box.succeed(["build", "-q", "-t", at("words:1"), context]);
  await box.succeed(["push", "-q", at("words:1")]);
  await docker.run("pull", "-q", at("words:1"));
});
after(async () => {
  if (docker !== undefined) {
    await docker.run("rmi", "-f", at("words:1"));
    await docker.stop();
    await registry.stop();
  }
  await box.remove();
});

/** What both print for one command; differences that are meant are evened out before. */
async function both(args: readonly string[]): Promise<readonly [varve: string, docker: string]> {
  const ours = (await box.succeed(args)).stdout.toString();
  const theirs = (await docker?.run(...args)) ?? "";
  return [ours, theirs];
}

test("templates of inspect and history give the same words", { skip }, async () => {
  const templates = [
    "{{json .Config.Labels}} {{.Config.Labels}}",
    '{{index .Config.Labels "org.example.name" | upper}}',
    "{{range $i, $e := .Config.Env}}{{if $i}};{{end}}{{$e}}{{end}}",
    "{{.Config.Labels.nope}}|{{.Config.Entrypoint}}|{{.Config.ExposedPorts}}",
    '{{join .Config.Entrypoint ","}} {{len .RootFS.Layers}} {{.Os}}/{{.Architecture}}',
    '{{printf "%-10s|%q" .Os .Architecture}} {{title .Os}} {{pad .Os 1 2}}|{{truncate .Os 3}}',
    "{{json .RootFS}}",
    "{{json .RepoTags}}",
    '{{with .Config.Volumes}}some{{else}}none{{end}} {{not .Author}} {{eq .Os "linux" }}',
    '{{println .Os}}{{json (split .Os "n")}}',
    "{{json .Config}}",
  ];
  for (const template of templates) {
    const [ours, theirs] = await both(["inspect", "--type=image", "-f", template, at("words:1")]);
    assert.equal(ours, theirs, template);
  }
  for (const template of ["{{.CreatedBy}}", "table {{.CreatedBy}}\\t{{.Comment}}"]) {
    const [ours, theirs] = await both(["history", "--no-trunc", "--format", template, at("words:1")]);
    assert.equal(ours, theirs, template);
  }
});

test("lists of images have the same layout, names and filters", { skip }, async () => {
  const idless = (text: string) => text.replaceAll(/[0-9a-f]{12}/g, "-".repeat(12));
  for (const args of [
    ["images", "--format", "{{.Repository}} {{.Tag}} {{.Digest}} {{.Containers}}", at("words")],
    ["images", "--format", "table {{.Repository}}\\t{{.Tag}}\\t{{.ID}}", at("words:1")],
    ["images", "--format", "{{.Repository}}", "--filter", `reference=${registry.host}/w*:1`, "-f", "label=other=x"],
    ["images", "-q", "--filter", "label=org.example.name=nope"],
    ["image", "ls", at("nope")],
  ]) {
    const [ours, theirs] = await both(args);
    assert.equal(idless(ours), idless(theirs), args.join(" "));
  }
});

test("what does not exist is told in the same words", { skip }, async () => {
  for (const args of [
    ["inspect", "--type=image", "nope"],
    ["inspect", "--type=container", "nope"],
    ["inspect", "--type=bla", "nope"],
    ["images", "-f", "nope=1"],
    ["images", "-f", "dangling=x"],
    ["image", "rm", "nope"],
    ["history", "nope"],
    ["tag", "nope", "x"],
    ["save", "nope"],
    ["image", "prune", "-f", "--filter", "bla=1"],
  ]) {
    const ours = await box.varve(args);
    const theirs = await docker?.start(...args).result;
    const said = (theirs?.stderr ?? "").trim().replace(/^Error response from daemon: |^Error: /, "");
    assert.ok(ours.stderr.includes(said), `${args.join(" ")}\n${ours.stderr}\n${said}`);
    assert.equal(ours.code === 0, theirs?.code === 0, args.join(" "));
  }
});

test(
  "B41 B42 B43 builders are listed and shown in the same layout",
  { skip: skip || (hasBuildx ? false : "there is no buildx") },
  async () => {
    const config = { BUILDX_CONFIG: box.path("buildx"), PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/" };
    const run = (...args: string[]) => {
      const { DOCKER_HOST } = process.env;
      const env = { ...config, ...(DOCKER_HOST === undefined ? {} : { DOCKER_HOST }) };
      const { stdout, stderr } = spawnSync("docker", ["buildx", ...args], { env, encoding: "utf8" });
      return stdout === "" ? stderr : stdout;
    };
    const endless = (text: string) =>
      text
        .replaceAll(/unix:\/\/[^\s"]+|\blocal\b/g, "-")
        .replaceAll(/ +/g, " ")
        .replaceAll(/\d{4}-\d\d-\d\d[ T][\d:]+/g, "then");
    const create = [
      "create",
      "--driver=docker-container",
      "--name=container",
      "--platform=linux/arm64,linux/amd64",
      "--buildkitd-flags=--debug",
      "--use",
    ];
    assert.equal((await box.succeed(["buildx", ...create])).stdout.toString(), run(...create));
    for (const args of [
      ["ls"],
      ["ls", "--no-trunc"],
      ["ls", "--format", "table {{.Name}}\\t{{.Status}}"],
      ["inspect"],
      ["ls", "--format={{json .}}"],
    ]) {
      const upTo = (text: string) => endless(text).split(/^default|^\{"Current":false/m)[0];
      assert.equal(upTo((await box.succeed(["buildx", ...args])).stdout.toString()), upTo(run(...args)), args.join(" "));
    }
    assert.equal((await box.succeed(["buildx", "rm", "container"])).stderr, run("rm", "container"));
  },
);

test(
  "B49 B50 image tools and manifest lists print the same, and make the same bytes",
  { skip: skip || (hasBuildx ? false : "there is no buildx") },
  async () => {
    await box.succeed([
      "buildx",
      "imagetools",
      "create",
      "-t",
      at("words:index"),
      "--annotation",
      "manifest-descriptor:k=v",
      at("words:1"),
    ]);
    for (const args of [
      ["buildx", "imagetools", "inspect", at("words:1")],
      ["buildx", "imagetools", "inspect", at("words:index")],
      ["buildx", "imagetools", "inspect", "--raw", at("words:index")],
      ["buildx", "imagetools", "inspect", "--format", "{{json .Manifest}}", at("words:index")],
      [
        "buildx",
        "imagetools",
        "inspect",
        "--format",
        "{{.Name}} {{.Manifest.MediaType}} {{range .Manifest.Manifests}}{{.Platform.OS}}{{end}}",
        at("words:index"),
      ],
      ["buildx", "imagetools", "create", "--dry-run", "--append", "-t", at("words:index"), at("words:1")],
      ["buildx", "imagetools", "create", "--dry-run", "--prefer-index=false", at("words:1")],
      ["manifest", "inspect", "--insecure", at("words:1")],
      ["manifest", "inspect", "--insecure", "-v", at("words:1")],
      ["manifest", "create", "--insecure", at("words:list"), at("words:1")],
      ["manifest", "annotate", at("words:list"), at("words:1"), "--arch=arm", "--variant=v7"],
      ["manifest", "inspect", at("words:list")],
      ["manifest", "push", "--insecure", "--purge", at("words:list")],
    ]) {
      const [ours, theirs] = await both(args);
      assert.equal(ours, theirs, args.join(" "));
    }
  },
);
