import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openTrial, type Trial } from "../kit/trial.ts";

const repo = resolve(import.meta.dirname, "../..");

/** Whether a tool answers. */
function answers(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore", timeout: 20_000 }).status === 0;
}

function output(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

const small = { Dockerfile: 'FROM busybox\nCOPY Dockerfile /copied\nRUN echo run >/ran\nENV A=1\nCMD ["cat", "/copied"]\n' };

async function buildArchive(trial: Trial, type: "oci" | "docker", ...args: string[]): Promise<string> {
  const { code, stderr } = await trial.varve("build", "-t", "interop:1", "-o", `type=${type},dest=../image.tar`, ...args, ".");
  assert.equal(code, 0, stderr);
  return join(trial.folder, "image.tar");
}

before(() => {
  const missing = ["skopeo", "umoci", "podman"].filter((tool) => !answers(tool, "--version"));
  assert.deepEqual(missing, [], "scripts/setup.sh --tests installs these");
});

test("E03 skopeo reads an OCI archive, and its digest is the manifest's", async (t) => {
  const trial = openTrial(t, small);
  const archive = await buildArchive(trial, "oci", "--metadata-file=../meta.json");
  const { Digest: digest, Env: env } = JSON.parse(output("skopeo", ["inspect", `oci-archive:${archive}`])) as { Digest: string; Env: string[] };
  const metadata = JSON.parse(readFileSync(join(trial.folder, "meta.json"), "utf8")) as Record<string, string>;
  assert.equal(digest, metadata["containerimage.digest"]);
  assert.ok(env.includes("A=1"));
});

test("E03 umoci unpacks an image to the files that were built", async (t) => {
  const trial = openTrial(t, small);
  const archive = await buildArchive(trial, "oci");
  const layout = join(trial.folder, "layout");
  mkdirSync(layout);
  output("tar", ["-xf", archive, "-C", layout]);
  output("umoci", ["unpack", ...(process.getuid?.() === 0 ? [] : ["--rootless"]), "--image", `${layout}:1`, join(trial.folder, "bundle")]);
  const root = join(trial.folder, "bundle/rootfs");
  assert.equal(readFileSync(join(root, "copied"), "utf8"), small.Dockerfile);
  assert.equal(readFileSync(join(root, "ran"), "utf8"), "run\n");
  assert.ok(existsSync(join(root, "bin/busybox")));
});

test("E03 E04 varve loads what skopeo makes of its image, and it has the same layers", async (t) => {
  const trial = openTrial(t, small);
  const archive = await buildArchive(trial, "docker");
  assert.equal((await trial.varve("build", "-q", "-t", "interop:1", ".")).code, 0);
  const layersOf = async (name: string) => (await trial.varve("inspect", "--format", "{{json .RootFS}}", name)).stdout.toString();
  for (const kind of ["oci-archive", "docker-archive"] as const) {
    const copy = join(trial.folder, `${kind}.tar`);
    output("skopeo", ["copy", "-q", `docker-archive:${archive}`, `${kind}:${copy}:docker.io/library/interop:copied`]);
    const loaded = await trial.varve("load", "-i", copy);
    assert.equal(loaded.code, 0, loaded.stderr);
    assert.equal(loaded.stdout.toString(), "Loaded image: interop:copied\n");
    assert.equal(await layersOf("interop:copied"), await layersOf("interop:1"));
    assert.equal((await trial.varve("rmi", "interop:copied")).code, 0);
  }
});

test("an image pushed to a registry is what skopeo sees there and what another store pulls", async (t) => {
  const trial = openTrial(t, small);
  const [, host = ""] = /mirrors = \["([^"]+)"\]/.exec(readFileSync(process.env["VARVE_CONFIG"] ?? "/dev/null", "utf8")) ?? [];
  assert.notEqual(host, "", "test.sh starts a registry and says where in VARVE_CONFIG");
  const name = `${host}/interop/pushed:1`;
  const { stdout } = await trial.varve("build", "-q", "-t", name, ".");
  const pushed = await trial.varve("push", name);
  assert.equal(pushed.code, 0, pushed.stderr);
  const { config } = JSON.parse(output("skopeo", ["inspect", "--tls-verify=false", "--raw", `docker://${name}`])) as { config: { digest: string } };
  assert.equal(config.digest, stdout.toString().trim());
  const other = openTrial(t);
  const pull = await other.varve("pull", name);
  assert.equal(pull.code, 0, pull.stderr);
  assert.equal((await other.varve("inspect", "--format", "{{.Id}}", name)).stdout.toString(), stdout.toString());
});

function podman(folder: string, ...args: string[]): string[] {
  return ["--root", join(folder, "podman"), "--runroot", join(folder, "podman-run"), "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", ...args];
}
const run = ["run", "--rm", "--network=host", "--runtime=runc", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"];

test("E03 E04 podman loads both kinds of archives and runs the image", async (t) => {
  const trial = openTrial(t, small);
  for (const type of ["oci", "docker"] as const) {
    const archive = await buildArchive(trial, type);
    output("podman", podman(trial.folder, "load", "-q", "-i", archive));
    assert.equal(output("podman", podman(trial.folder, ...run, "docker.io/library/interop:1")), small.Dockerfile);
  }
});

const noEngine = answers("docker", "version") ? false : "no Docker Engine answers: set DOCKER_HOST, or let test/conformance/engine.sh bring one";

test("E04 docker loads both kinds of archives and runs the image", { skip: noEngine }, async (t) => {
  const trial = openTrial(t, small);
  t.after(() => spawnSync("docker", ["image", "rm", "-f", "interop:1"], { stdio: "ignore" }));
  for (const type of ["oci", "docker"] as const) {
    const archive = await buildArchive(trial, type);
    output("docker", ["load", "-q", "-i", archive]);
    assert.equal(output("docker", ["run", "--rm", "--network=host", "interop:1"]), small.Dockerfile);
  }
});

test("the tutorial's server, built by chapter 8, runs under podman and answers on port 3000", async (t) => {
  const trial = openTrial(t);
  cpSync(join(repo, "examples/buildme"), trial.context, { recursive: true });
  const built = await trial.varve("build", "--target=server", "-t", "buildme-server", ".", "-f", "chapters/8.Dockerfile", "--output", "type=oci,dest=../server.tar");
  assert.equal(built.code, 0, built.stderr);
  output("podman", podman(trial.folder, "load", "-q", "-i", join(trial.folder, "server.tar")));
  const server = spawn("podman", podman(trial.folder, ...run, "--name=buildme-test", "buildme-server"), { stdio: "ignore" });
  const ended = new Promise((done) => server.on("close", done));
  try {
    assert.equal(await ask("http://127.0.0.1:3000/?s=hello"), "hohelollolo");
  } finally {
    spawnSync("podman", podman(trial.folder, "kill", "buildme-test"), { stdio: "ignore" });
    await ended;
  }
});

async function ask(url: string): Promise<string> {
  for (let tries = 0; ; tries += 1) {
    try {
      return (await (await fetch(url)).text()).trim();
    } catch (error) {
      if (tries >= 100) throw error;
      await sleep(100);
    }
  }
}
