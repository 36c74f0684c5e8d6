/** A Compose project for real: a web server, a worker and a store of Debian's redis, on a private network and with a volume. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { describeEachWay } from "../kit/each-way.ts";
import { redisContext } from "../kit/redis.ts";

const compose = `
services:
  store:
    build: store
    stop_grace_period: 20s
    healthcheck: { test: [CMD, redis-cli, ping], interval: 1s, timeout: 20s, retries: 60 }
    volumes: ["data:/data"]
    networks: [back]
  web:
    build:
      context: web
      args: { GREETING: hello }
    command: [httpd, -f, -p, "8080", -h, /www]
    stop_signal: SIGKILL
    environment: { REVISION: "\${REVISION:-one}" }
    healthcheck: { test: wget -q -O /dev/null http://127.0.0.1:8080/greeting, interval: 1s, timeout: 20s, retries: 60 }
    ports: ["127.0.0.1::8080"]
    depends_on: { store: { condition: service_healthy } }
    networks: [back]
    secrets: [{ source: token, uid: "33", mode: 0400 }]
    configs: [{ source: motd, target: /etc/motd }]
  worker:
    image: \${COMPOSE_PROJECT_NAME}-store
    pull_policy: never
    command: [sh, -c, "trap 'exit 0' TERM; while :; do redis-cli -h store brpoplpush jobs done 1 >/dev/null; done"]
    depends_on: { store: { condition: service_healthy } }
    networks: [back]
networks: { back: {} }
volumes: { data: {} }
secrets: { token: { environment: TOKEN } }
configs: { motd: { content: "of \${COMPOSE_PROJECT_NAME}\\n" } }
`;

/** Without root, limits are refused. */
const limits = "services: { worker: { deploy: { resources: { limits: { pids: 64 } } } } }\n";

const web = {
  Dockerfile: `FROM busybox
ARG GREETING
RUN mkdir -p /www/cgi-bin && echo $GREETING >/www/greeting
COPY --chmod=755 hits /www/cgi-bin/hits
`,
  hits: `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
printf 'INCR hits\\r\\nQUIT\\r\\n' | nc store 6379 | head -n 1
`,
};

describeEachWay("a Compose project of web server, worker and store", (box) => {
  const asRoot = box.way.name === "as root";
  const files = ["compose.yaml", ...(asRoot ? ["limits.yaml"] : [])];
  const env = { COMPOSE_PROJECT_NAME: "shop", TOKEN: "s3cret", COMPOSE_FILE: files.join(":") };
  const cwd = box.path("shop");
  const run = async (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    await box.varve(["compose", ...args], { cwd, env: { ...env, ...more } });
  const succeed = async (args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const result = await run(args, more);
    assert.equal(result.code, 0, `compose ${args.join(" ")} ended with ${result.code}:\n${result.stderr}`);
    return { stdout: result.stdout.toString(), stderr: result.stderr };
  };
  const ids = async (): Promise<Readonly<Record<string, string>>> => {
    const { stdout } = await succeed(["ps", "-a", "--format", "{{.Name}} {{.ID}}"]);
    return Object.fromEntries(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.split(" ") as [string, string]),
    );
  };
  const hit = async (): Promise<string> => {
    const { stdout } = await succeed(["port", "web", "8080"]);
    return (await (await fetch(`http://${stdout.trim()}/cgi-bin/hits`)).text()).trim();
  };
  const redis = async (...args: string[]): Promise<string> =>
    (await succeed(["exec", "-T", "store", "redis-cli", ...args])).stdout.trim();
  let bridges: readonly string[] = [];

  before(() => {
    box.write("shop", { "compose.yaml": compose, "limits.yaml": limits });
    box.write("shop/store", redisContext());
    box.write("shop/web", web);
  });
  after(async () => {
    await box.varve(["compose", "kill"], { cwd, env });
    await box.varve(["compose", "down", "-v", "--remove-orphans"], { cwd, env });
  });

  test("M21 M22 M83 M84 up builds, makes and starts everything in order, and waits until it is healthy", async () => {
    const { stderr } = await succeed(["up", "--build", "-d", "--wait", "--wait-timeout", "300"]);
    const place = (line: string): number => {
      const at = stderr.indexOf(` ${line}\n`);
      assert.ok(at >= 0, `"${line}" is not in\n${stderr}`);
      return at;
    };
    const order = [
      "shop-store  Built",
      "Network shop_back  Created",
      "Volume shop_data  Created",
      "Container shop-store-1  Created",
      "Container shop-store-1  Started",
      "Container shop-store-1  Healthy",
      "Container shop-web-1  Started",
      "Container shop-web-1  Healthy",
    ].map(place);
    assert.deepEqual(
      order,
      order.toSorted((left, right) => left - right),
    );
    const { stdout } = await succeed(["ps", "--format", "{{.Service}} {{.State}} {{.Health}}"]);
    assert.equal(stdout, "store running healthy\nweb running healthy\nworker running \n");
    const inspected = (await box.succeed(["network", "inspect", "shop_back"])).stdout.toString();
    const [network] = JSON.parse(inspected) as readonly {
      readonly IPAM: { readonly Config: readonly { readonly Gateway: string }[] };
    }[];
    bridges = asRoot ? linksWith(network!.IPAM.Config[0]!.Gateway) : [];
    assert.equal(bridges.length, asRoot ? 1 : 0);
  });

  test("M62 M67 the published port leads to the web server, which finds the store by its name", async () => {
    assert.equal(await hit(), ":1");
    assert.equal(await hit(), ":2");
    assert.equal(await redis("get", "hits"), "2");
  });

  test("the worker does what the store hands it", async () => {
    await redis("lpush", "jobs", "one");
    await until(async () => (await redis("lrange", "done", "0", "-1")) === "one");
  });

  test("M70 secrets and configs are files with their owner and mode", async () => {
    const { stdout } = await succeed([
      "exec",
      "-T",
      "web",
      "sh",
      "-c",
      "cat /run/secrets/token /etc/motd; stat -c %u:%a /run/secrets/token",
    ]);
    assert.equal(stdout, "s3cretof shop\n33:400\n");
  });

  test("M22 M81 a second up finds everything as it should be; scaling makes one container more", async () => {
    const first = await ids();
    const again = await succeed(["up", "-d"]);
    assert.doesNotMatch(again.stderr, /Creating|Recreate|Starting|Built/);
    const { stderr } = await succeed(["up", "-d", "--scale", "worker=2"]);
    assert.match(stderr, /Container shop-worker-2 {2}Started/);
    const { "shop-worker-2": added, ...others } = await ids();
    assert.ok(added !== undefined);
    assert.deepEqual(others, first);
  });

  test("M82 where one service changed only its container is made anew, and the volume keeps its data", async () => {
    const old = await ids();
    const { stderr } = await succeed(["up", "-d", "--scale", "worker=2", "--wait"], { REVISION: "two" });
    assert.match(stderr, /Container shop-web-1 {2}Recreated/);
    const now = await ids();
    const changed = Object.keys(now).filter((name) => now[name] !== old[name]);
    assert.deepEqual([changed, Object.keys(now)], [["shop-web-1"], Object.keys(old)]);
    assert.equal((await succeed(["exec", "-T", "web", "sh", "-c", "echo $REVISION"])).stdout, "two\n");
    assert.equal(await hit(), ":3");
    await succeed(["up", "-d", "--force-recreate", "--no-deps", "--wait", "store"], { REVISION: "two" });
    assert.notEqual((await ids())["shop-store-1"], now["shop-store-1"]);
    assert.equal(await redis("get", "hits"), "3");
  });

  test("M24 M25 M28 ps, ls, top, images, logs, run and exec speak of the project as Docker Compose does", async () => {
    const table = (await succeed(["ps"])).stdout;
    assert.match(table, /^NAME +IMAGE +COMMAND +SERVICE +CREATED +STATUS +PORTS\nshop-store-1 +shop-store +"redis-server/);
    const listed = JSON.parse((await succeed(["ls", "--format", "json"])).stdout) as readonly unknown[];
    const ConfigFiles = files.map((file) => `${cwd}/${file}`).join(",");
    assert.deepEqual(listed, [{ Name: "shop", Status: "running(4)", ConfigFiles }]);
    // its health check may run beside it, and have a lower number by now
    assert.match((await succeed(["top", "store"])).stdout, /^SERVICE +# +UID .*\n(?:store .*\n)*?store +1 .*redis-server/);
    assert.match((await succeed(["images", "web"])).stdout, /^CONTAINER +REPOSITORY .*\nshop-web-1 +shop-web +latest/);
    assert.match((await succeed(["logs", "--no-color", "store"])).stdout, /^store-1 {2}\| .*[Rr]edis/m);
    const { code, stdout } = await run([
      "run",
      "--rm",
      "-T",
      "--no-deps",
      "worker",
      "sh",
      "-c",
      "redis-cli -h store get hits; exit 3",
    ]);
    assert.deepEqual([code, stdout.toString()], [3, "3\n"]);
    assert.equal((await run(["exec", "-T", "store", "sh", "-c", "exit 5"])).code, 5);
    assert.deepEqual(Object.keys(await ids()), ["shop-store-1", "shop-web-1", "shop-worker-1", "shop-worker-2"]);
  });

  test("M28 M64 stop goes against the order of the dependencies, start along it", async () => {
    const { stderr } = await succeed(["stop"]);
    assert.ok(stderr.indexOf("shop-web-1  Stopped") < stderr.indexOf("shop-store-1  Stopping"), stderr);
    assert.equal((await succeed(["ps", "-q"])).stdout, "");
    const started = (await succeed(["start"])).stderr;
    assert.ok(started.indexOf("shop-store-1  Healthy") < started.indexOf("shop-web-1  Starting"), started);
    await until(async () => {
      // started is not yet listening
      const counted = await hit().catch(String);
      return /^:[4-9]$/.test(counted);
    });
  });

  test("M22 a dependency that fails is said, and what needs it is not started", async () => {
    const file = box.write("sick", {
      "compose.yaml": `services:
  sick: { image: busybox, command: [sh, -c, "exit 4"] }
  well: { image: busybox, command: [sleep, "1000"], depends_on: { sick: { condition: service_completed_successfully } } }
`,
    });
    const result = await box.varve(["compose", "-f", `${file}/compose.yaml`, "up", "-d"]);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /service "sick" didn't complete successfully: exit 4/);
    assert.doesNotMatch(result.stderr, /sick-well-1 {2}Started/);
    await box.succeed(["compose", "-p", "sick", "down"], { cwd: file });
  });

  test("M22 in the foreground: logs with names before them, and the exit code of one service", async () => {
    const file = box.write("front", {
      "compose.yaml": `services:
  talk: { image: busybox, command: [sh, -c, "echo says this; exit 6"] }
  wait: { image: busybox, command: [sleep, "1000"], stop_signal: SIGKILL }
`,
    });
    const result = await box.varve(["compose", "-f", `${file}/compose.yaml`, "up", "--exit-code-from", "talk"]);
    const said = result.stdout.toString();
    assert.equal(result.code, 6, result.stderr);
    assert.match(said, /^Attaching to talk-1, wait-1$/m);
    assert.match(said, /^talk-1 {2}\| says this$/m);
    assert.match(said, /^talk-1 exited with code 6$/m);
    await box.succeed(["compose", "down"], { cwd: file });
  });

  test("M23 down leaves nothing: no container, network, volume or image, no process, mount, link or rule", async () => {
    const { stderr } = await succeed(["down", "-v", "--rmi", "local", "-t", "20"]);
    for (const line of ["Container shop-store-1", "Network shop_back", "Volume shop_data", "Image shop-store:latest"])
      assert.match(stderr, new RegExp(`${line} {2}Removed`));
    for (const args of [
      ["ps", "-aq"],
      ["volume", "ls", "-q"],
      ["network", "ls", "-q", "--filter", "type=custom"],
    ])
      assert.equal((await box.succeed(args)).stdout.toString(), "", args.join(" "));
    const images = (await box.succeed(["images", "--format", "{{.Repository}}"])).stdout.toString();
    assert.doesNotMatch(images, /shop-/);
    await box.checkLeaks();
    if (asRoot)
      assert.deepEqual(
        listLinks().filter(({ ifname }) => bridges.includes(ifname)),
        [],
      );
  });
});

interface Link {
  readonly ifname: string;
  readonly addr_info?: readonly { readonly local: string }[];
}

function listLinks(): readonly Link[] {
  return JSON.parse(execFileSync("ip", ["-j", "address", "show"]).toString()) as readonly Link[];
}

/** The names of the links that have an address. */
function linksWith(address: string): readonly string[] {
  return listLinks()
    .filter(({ addr_info: addresses = [] }) => addresses.some(({ local }) => local === address))
    .map(({ ifname }) => ifname);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const begin = Date.now(); !(await holds()); await sleep(100))
    assert.ok(Date.now() - begin < 60_000, "it did not come true within a minute");
}
