/** Tools that know docker alone, from npm, with docker and docker-compose as `varve docker-shim install` makes them. */
import assert from "node:assert/strict";
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import { succeed } from "../kit/command.ts";
import { installShim, type Shim } from "../kit/docker-shim.ts";
import { describeOnce } from "../kit/each-way.ts";

const files = resolve(import.meta.dirname, "docker-shim");

describeOnce("the docker shim", (box) => {
  test("it puts two commands into a folder, keeps what is another's, and takes away what is its own", async () => {
    box.write("names", { docker: "#!/bin/sh\necho mine\n" });
    const refused = await box.varve(["docker-shim", "install", box.path("names")]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /names\/docker is there already, and not of Varve's making \[SHIM_FOREIGN\]/);
    assert.equal(readFileSync(box.path("names/docker"), "utf8"), "#!/bin/sh\necho mine\n");

    box.write("more", {});
    symlinkSync("/bin/true", box.path("more/docker-compose"));
    assert.equal((await box.varve(["docker-shim", "install", box.path("more")])).code, 1, "a link is another's, too");

    const made = await box.succeed(["docker-shim", "install", box.path("own")]);
    assert.equal(made.stdout.toString(), `${box.path("own/docker")}\n${box.path("own/docker-compose")}\n`);
    await box.succeed(["docker-shim", "install", box.path("own")]);
    writeFileSync(box.path("own/docker-compose"), "");
    const removed = await box.succeed(["docker-shim", "uninstall", box.path("own")]);
    assert.equal(removed.stdout.toString(), `${box.path("own/docker")}\n`);
  });

  test("what tools ask before they use docker has docker's form", async () => {
    const shim = await installShim(box);
    const run = async (line: string): Promise<string> => await shim.run(line);
    assert.match(await run("docker --version"), /^Docker version \d+\.\d+\.\d+, build varve-/);
    assert.match(
      await run("docker version --format '{{.Server.Version}} {{.Client.APIVersion}} {{.Server.Os}}'"),
      /^28\.\S+ 1\.\d+ linux\n$/,
    );
    assert.match(await run("docker version"), /^Client: .*\n Version: +28\.[^]*\nServer: .*\n Engine:\n/);
    assert.match(
      await run("docker info -f '{{.ServerVersion}} {{.OSType}} {{.Runtimes.nvidia}}'"),
      /^28\.\S+ linux <no value>\n$/,
    );
    assert.match(await run("docker buildx version"), /^github\.com\/docker\/buildx v\d+\.\d+\.\d+ /);
    assert.equal(await run("docker context show && docker context ls -q"), "default\ndefault\n");
    assert.match(await run("docker-compose version --short"), /^\d+\.\d+\.\d+\n$/);
    // The store of the installation is the store of the scripts, also where the environment is lost.
    assert.equal(await run("env -i PATH=$PATH docker info -f '{{.DockerRootDir}}'"), `${box.path("store")}\n`);
  });
});

describeOnce("tools of npm over the docker shim", (box) => {
  let shim: Shim;
  const node = async (script: string, ...args: readonly string[]): Promise<Record<string, unknown>> => {
    const { PATH = "" } = shim.env;
    const env = { ...shim.env, PATH, CDK_DOCKER: box.path("shim/docker") };
    const said = await succeed([process.execPath, box.path("tools", script), ...args], { cwd: box.path("tools"), env });
    return JSON.parse(/^RESULTS (.*)$/m.exec(said)?.[1] ?? "{}") as Record<string, unknown>;
  };

  before(async () => {
    cpSync(files, box.path("tools"), { recursive: true });
    // npm's own settings say where packages come from.
    const { HOME = "" } = process.env;
    await succeed(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=5", "--loglevel=error"], {
      cwd: box.path("tools"),
      env: { ...(process.env as Record<string, string>), HOME },
    });
    shim = await installShim(box);
    await shim.run("docker pull -q busybox && docker tag busybox public.ecr.aws/docker/library/alpine");
  });
  after(async () => {
    await shim.run("docker ps -aq | xargs -r docker rm -f -v");
  });

  test("the dev container CLI builds, brings up and runs a command", async () => {
    const workspace = box.write("workspace", {
      ".devcontainer/devcontainer.json": JSON.stringify({
        build: { dockerfile: "Dockerfile", args: { WHO: "dev" } },
        postCreateCommand: "echo created > /created",
        remoteUser: "root",
      }),
      ".devcontainer/Dockerfile": "FROM busybox\nARG WHO\nRUN echo $WHO > /who\n",
    });
    const cli = `${box.path("tools/node_modules/.bin/devcontainer")}`;
    const image = `dev-${process.pid}`;
    // It leaves files of its own in the folder for temporary ones.
    const env = { TMPDIR: box.path("tools") };
    assert.match(
      await shim.run(`${cli} build --workspace-folder ${workspace} --image-name ${image}`, { env }),
      new RegExp(`"outcome":"success","imageName":\\["${image}"\\]`),
    );
    assert.match(
      await shim.run(`${cli} up --workspace-folder ${workspace}`, { env }),
      /"outcome":"success","containerId":"[0-9a-f]{64}"/,
    );
    assert.equal(await shim.run(`${cli} exec --workspace-folder ${workspace} cat /who /created`, { env }), "dev\ncreated\n");
    await shim.run("docker ps -aq | xargs -r docker rm -f");
  });

  test("AWS CDK bundles assets by bind mounts and by volumes, and copies out of an image", async () => {
    box.write("bundling", {
      "image/Dockerfile": "FROM busybox\nRUN echo tool > /tool\n",
      "asset/in.txt": "source\n",
      "copied/": "",
    });
    const results = await node("bundle-asset.cjs", box.path("bundling"));
    assert.deepEqual(results, { bind: "source\ntool\nbind\n", volume: "source\ntool\nvolume\n", copied: ["tool"] });
    assert.equal(await shim.run("docker ps -aq && docker volume ls -q"), "", "it leaves nothing");
  });

  test("docker-cli-js and docker-compose read what docker and docker-compose print", async () => {
    const name = `wrapped-${process.pid}`;
    const project = box.write(name, {
      Dockerfile: 'FROM busybox\nRUN echo me > /who\nCMD ["sh", "-c", "echo started; sleep 1000"]\n',
      "compose.yaml": 'services:\n  web:\n    build: .\n    ports: ["127.0.0.1::80"]\n',
    });
    const results = await node("wrappers.cjs", project, name);
    assert.match(String(results["id"]), /^[0-9a-f]{64}$/);
    assert.deepEqual(results["inspected"], { Name: `/${name}`, Running: true, Image: name });
    const [listed] = results["ps"] as Record<string, string>[];
    assert.equal(listed?.["names"], name);
    assert.equal(listed?.["image"], name);
    assert.ok((results["images"] as Record<string, string>[]).some(({ repository }) => repository === name));
    assert.equal((results["info"] as Record<string, string>)["os_type"], "linux");
    assert.equal(results["up"], 0);
    const [service] = results["services"] as Record<string, string>[];
    assert.equal(service?.["name"], `${name}-web-1`);
    assert.equal(results["exec"], "me\n");
    assert.match(String(results["logs"]), /web-1 +\| started\n/);
    assert.match((results["version"] as { version: string }).version, /^\d+\.\d+\.\d+$/);
    assert.equal((results["port"] as { address: string }).address, "127.0.0.1");
    assert.equal(results["down"], 0);
  });
});
