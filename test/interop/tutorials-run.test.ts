/**
 * The command lines of four tutorials that run, copy, list, prune and compose, word for word and in their order, by `docker` and
 * `docker-compose` as Varve's docker-shim makes them. The projects are those of examples/; golang and alpine have further names,
 * which the tutorials use.
 */
import assert from "node:assert/strict";
import { copyFileSync, cpSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, test } from "node:test";
import { installShim, type Shim } from "../kit/docker-shim.ts";
import { describeEachWay } from "../kit/each-way.ts";
import { openTerminal } from "../kit/terminal.ts";

const examples = resolve(import.meta.dirname, "../../examples");

describeEachWay("the tutorials' command lines", (box) => {
  let shim: Shim;
  const project = (name: string): string => {
    cpSync(`${examples}/${name}`, box.path(name), { recursive: true });
    return box.write(name, {});
  };

  before(async () => {
    shim = await installShim(box);
    await shim.run("docker pull -q golang:1.24 && docker pull -q alpine:3.22");
    await shim.run("docker tag golang:1.24 golang:1.20-alpine");
  });
  after(async () => {
    await shim.run("docker ps -aq | xargs -r docker rm -f -v");
  });

  test("the first: a server is run, a client in it asked at a terminal, both stopped", async () => {
    const cwd = project("buildme");
    const run = async (line: string): Promise<string> => await shim.run(line, { cwd });
    const use = (chapter: number): void => copyFileSync(`${cwd}/chapters/${chapter}.Dockerfile`, `${cwd}/Dockerfile`);
    use(2);
    await run("docker build --tag=buildme .");
    assert.match(await run("docker run --name=buildme --rm --detach buildme"), /^[0-9a-f]{64}\n$/);
    const table = (await run("docker ps")).split("\n");
    assert.match(table[0] ?? "", /^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES$/);
    assert.match(table[1] ?? "", /^[0-9a-f]{12} +buildme +"\/bin\/server" .* Up .* buildme$/);

    const client = openTerminal(box.as(["docker", "exec", "-it", "buildme", "/bin/client"]), { cwd, env: shim.env });
    await client.waitFor(/Rövarspråket/);
    client.type("hello\r");
    await client.waitFor(/hohelollolo/);
    client.type("\x1b");
    const { code, settings } = await client.ended;
    assert.equal(code, 0);
    assert.match(settings, /\bicanon\b/);
    assert.match(settings, /\becho\b/);

    assert.equal(await run("docker stop buildme"), "buildme\n");
    assert.equal(await run("docker ps -a -q"), "", "--rm removed it");

    use(5);
    assert.match(await run("docker images buildme"), /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\nbuildme +latest +[0-9a-f]{12} /);

    await run("docker run -v $PWD:$PWD -w $PWD golang:1.20-alpine \\\n    go get github.com/go-chi/chi/v5@v5.0.8");
    assert.match(readFileSync(`${cwd}/go.mod`, "utf8"), /go-chi\/chi\/v5 v5\.0\.8/);

    await run('docker build --target=server --build-arg="APP_VERSION=v0.0.1" --tag=buildme-server .');
    assert.match(await run("docker images buildme-server"), /\nbuildme-server +latest +[0-9a-f]{12} /);
    const server = openTerminal(box.as(["docker", "run", "buildme-server"]), { cwd, env: shim.env });
    await server.waitFor(/Version: v0\.0\.1/);
    await server.waitFor(/(?:L|l)istening on .*3000/);
    server.type("\x03");
    assert.notEqual((await server.ended).code, null);
    await run("docker ps -aq | xargs -r docker rm -f");
    await run("docker builder prune -af");
  });

  test("the third: a program is taken out of a container that never ran, and runs alone on its port", async () => {
    const cwd = project("handmade");
    const run = async (line: string): Promise<string> => await shim.run(line, { cwd });
    const ask = async (line: string, port: number, image: string): Promise<void> => {
      const server = openTerminal(box.as(line.split(" ")), { cwd, env: shim.env });
      await server.waitFor(/listening on :8080/);
      assert.match(await answer(run, `curl -s http://localhost:${port}`), /^Hello, world! \(linux\//);
      assert.match(await run(`docker ps --filter ancestor=${image} --format '{{.Ports}}'`), new RegExp(`:${port}->8080/tcp`));
      server.type("\x03");
      await server.ended;
    };
    copyFileSync(`${cwd}/Dockerfile`, `${cwd}/Dockerfile.alone`);
    copyFileSync(`${cwd}/Dockerfile.build`, `${cwd}/Dockerfile`);
    await run("docker build -t whilesun/godemo:build .");
    assert.match(await run("docker create --name prebuild whilesun/godemo:build"), /^[0-9a-f]{64}\n$/);
    await run("docker cp prebuild:/usr/src/app/app-server ./app-server");
    assert.equal(statSync(`${cwd}/app-server`).mode & 0o111, 0o111);
    assert.equal(readFileSync(`${cwd}/app-server`).subarray(1, 4).toString(), "ELF");

    copyFileSync(`${cwd}/Dockerfile.alone`, `${cwd}/Dockerfile`);
    await run("docker build --no-cache -t whilesun/godemo:old .");
    await ask("docker run -it -p 8080:8080 whilesun/godemo:old", 8080, "whilesun/godemo:old");
    await run("docker build -t whilesun/godemo:new . -f Dockerfile.new");
    await ask("docker run -it -p 8081:8080 whilesun/godemo:new", 8081, "whilesun/godemo:new");
    assert.match(
      await run("docker images whilesun/godemo --format '{{.Tag}}'"),
      /^(?:build|new|old)\n(?:build|new|old)\n(?:build|new|old)\n$/,
    );
    await run("docker ps -aq | xargs -r docker rm -f");
  });

  test("the fourth: Compose brings one image up in two environments; a labelled stage is pruned", async () => {
    const cwd = project("compose-envs");
    const run = async (line: string, env = {}): Promise<string> => await shim.run(line, { cwd, env });
    const dev = { COMPOSE_FILE: "docker-compose-dev.yml", COMPOSE_PROJECT_NAME: "compose-envs-dev" };
    try {
      await run("docker-compose up --build -d");
      await run("docker-compose up --build -d", dev);
      assert.equal(
        await answer(run, "curl -s http://localhost:4445/health"),
        '{"status":"ok","env":"prod","file":"env_prod.yaml"}\n',
      );
      assert.equal(
        await answer(run, "curl -s http://localhost:9000/health"),
        '{"status":"ok","env":"dev","file":"env_dev.yaml"}\n',
      );
      const names = (await run("docker ps --format '{{.Names}} {{.Image}}'")).trim().split("\n").toSorted();
      assert.deepEqual(names, ["go-server-box go-server", "go-server-box-dev go-server-dev"]);
      assert.match(await run("docker exec go-server-box ls _envs"), /^env_prod\.yaml\n$/);

      await run("docker build --target=builder .");
      const pruned = await run("docker image prune --filter label=stage=builder -f");
      assert.match(pruned, /^Deleted Images:\n(?:untagged: .*\n)*deleted: sha256:[0-9a-f]{64}\n[^]*Total reclaimed space: /i);
      assert.equal(await run("docker images -q --filter label=stage=builder"), "");
      const images = await run("docker images");
      assert.match(images, /\ngo-server +latest /);
      assert.match(images, /\ngo-server-dev +latest /);
    } finally {
      await shim.attempt("docker-compose down", { cwd });
      await shim.attempt("docker-compose down", { cwd, env: dev });
    }
    assert.equal(await run("docker ps -a -q"), "");
  });
});

/** What a line says as soon as it succeeds, within two minutes. */
async function answer(run: (line: string) => Promise<string>, line: string): Promise<string> {
  for (const begin = Date.now(); ;) {
    try {
      return await run(line);
    } catch (error) {
      if (Date.now() - begin > 120_000) throw error;
      await sleep(300);
    }
  }
}
