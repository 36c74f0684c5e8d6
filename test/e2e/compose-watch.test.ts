/** `compose watch` for real: what changes in a folder of this machine, and what becomes of it in the containers of a service. */
import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningCommand } from "../kit/command.ts";
import { describeEachWay } from "../kit/each-way.ts";

const dockerfile = (version: string): string => `FROM busybox\nCOPY src /app\nRUN ${version}\n`;

const compose = `
services:
  web:
    build: .
    command: [sh, -c, "echo up; exec sleep 100000"]
    stop_signal: SIGKILL
    network_mode: none
    scale: 2
    develop:
      watch:
        - { path: src, action: sync, target: /app, ignore: [skip/] }
        - { path: conf, action: sync+restart, target: /etc/conf }
        - { path: hook, action: sync+exec, target: /hook, exec: { command: [sh, -c, "echo heard of $$(cat /hook/word)"] } }
        - { path: again, action: restart }
        - { path: Dockerfile, action: rebuild }
`;

/** Two containers are stopped, made and started: not at once on a busy machine. */
const patienceMs = 180_000;
const said = { stream: "stdout", patienceMs } as const;

describeEachWay("a Compose project that is watched", (box) => {
  const cwd = box.path("shop");
  const run = async (...args: string[]) => await box.varve(["compose", ...args], { cwd });
  const put = (name: string, text: string): void => writeFileSync(box.path("shop", name), text);
  const inspect = async (field: string): Promise<readonly string[]> => {
    const { stdout } = await box.varve(["inspect", "-f", `{{.${field}}}`, "shop-web-1", "shop-web-2"]);
    return stdout.toString().trim().split("\n");
  };
  const inside = async (index: number, script: string): Promise<string> =>
    (await run("exec", "-T", "--index", String(index), "web", "sh", "-c", script)).stdout.toString();
  /** Waits until the script says this in every container. */
  const come = async (script: string, expected: string): Promise<void> => {
    for (const index of [2, 1]) await until(async () => (await inside(index, script)) === expected);
  };
  /** All files below /app, with what they say. */
  const files = 'cd /app && find . ! -type d | sort | while read -r f; do echo "$f: $(cat "$f")"; done';
  let watching: RunningCommand | undefined;
  const stop = async (): Promise<string> => {
    const command = watching;
    watching = undefined;
    command?.kill("SIGINT");
    const result = await command?.result;
    assert.equal(result?.code, 130, result?.stderr);
    return result.stdout.toString();
  };

  before(() => {
    box.write("shop", {
      "compose.yaml": compose,
      ".dockerignore": "src/private\n",
      Dockerfile: dockerfile("echo one >/version"),
      "src/kept": "1",
      "conf/": "",
      "hook/": "",
      "again/": "",
    });
  });
  after(async () => {
    watching?.kill("SIGKILL");
    await watching?.result;
    await run("down", "-v", "--rmi", "local");
  });

  test("M26 watch builds and starts what it watches", async () => {
    watching = box.start(["compose", "watch"], { cwd });
    await come(files, "./kept: 1\n");
  });

  test("M76 sync: what is written, made in a new folder, linked, renamed and removed is so in every container", async () => {
    put("src/kept", "2");
    mkdirSync(box.path("shop/src/new/deep"), { recursive: true });
    put("src/new/deep/file", "x");
    symlinkSync("new/deep/file", box.path("shop/src/link"));
    await come(files, "./kept: 2\n./link: x\n./new/deep/file: x\n");
    renameSync(box.path("shop/src/new"), box.path("shop/src/moved"));
    put("src/.saved", "3");
    renameSync(box.path("shop/src/.saved"), box.path("shop/src/kept"));
    rmSync(box.path("shop/src/link"));
    await come(files, "./kept: 3\n./moved/deep/file: x\n");
    rmSync(box.path("shop/src/moved"), { recursive: true });
    put("src/moved", "a file now");
    await come(files, "./kept: 3\n./moved: a file now\n");
  });

  test("M76 what the trigger, the ignore file of the build and everybody's habits ignore stays out", async () => {
    for (const folder of ["skip", "private", ".git"]) {
      mkdirSync(box.path("shop/src", folder));
      put(`src/${folder}/file`, "x");
    }
    put("src/.kept.swp", "x");
    put("src/last", "x");
    await come(files, "./kept: 3\n./last: x\n./moved: a file now\n");
  });

  test("M76 restart and sync+restart start the containers again, with the files where there are some", async () => {
    const areNewer = async (old: readonly string[]): Promise<boolean> =>
      (await inspect("State.StartedAt")).every((time, at) => time > (old[at] ?? ""));
    const first = await inspect("State.StartedAt");
    put("conf/setting", "on");
    await until(async () => await areNewer(first));
    await come("cat /etc/conf/setting", "on");
    const second = await inspect("State.StartedAt");
    put("again/now", "");
    await until(async () => await areNewer(second));
  });

  test("M76 rebuild makes image and containers anew, as many as there were; a build that fails is told, and is no end", async () => {
    const [image = ""] = await inspect("Image");
    const old = await inspect("Id");
    put("Dockerfile", dockerfile("exit 7"));
    await watching?.waitFor(/^Build failed\. Error: .*exit code: 7/m, said);
    assert.deepEqual(await inspect("Id"), old);
    put("Dockerfile", dockerfile("echo two >/version"));
    await come("cat /version", "two\n");
    assert.equal(
      (await inspect("Id")).some((id) => old.includes(id)),
      false,
    );
    await until(async () => (await box.varve(["image", "inspect", image])).code !== 0);
  });

  test("M76 sync+exec runs its command in every container when the files are there", async () => {
    put("hook/word", "this");
    await watching?.waitFor(/^heard of this$[^]*^heard of this$/m, said);
  });

  test("M26 Ctrl-C ends watching and nothing else, and what was done is told in Docker Compose's words", async () => {
    const output = await stop();
    for (const line of [
      "Watch enabled",
      'service(s) ["web"] restarted',
      'Rebuilding service(s) ["web"] after changes were detected...',
      'service(s) ["web"] successfully built',
    ])
      assert.ok(output.split("\n").includes(line), `"${line}" is not in\n${output}`);
    assert.match(output, /^Syncing service "web" after \d+ changes were detected$/m);
    assert.equal((await run("ps", "-q")).stdout.toString().trim().split("\n").length, 2);
  });

  test("M26 M76 --no-up watches what runs; initial_sync brings what changed while nobody watched", async () => {
    put("src/meanwhile", "y");
    put(
      "first.yaml",
      "services: { web: { develop: { watch: [{ path: src, action: sync, target: /first, initial_sync: true }] } } }\n",
    );
    watching = box.start(["compose", "-f", "compose.yaml", "-f", "first.yaml", "watch", "--no-up", "--quiet", "web"], { cwd });
    await watching.waitFor(/^Watch enabled$/m, said);
    assert.equal(await inside(2, "ls /first"), "kept\nlast\nmeanwhile\nmoved\nskip\n");
    assert.equal(await stop(), "Watch enabled\n");
  });

  test("M26 M76 what cannot be watched is refused in Docker Compose's words", async () => {
    box.write("other", {
      "none.yaml": "services: { one: { image: busybox } }\n",
      "image.yaml": "services: { one: { image: busybox, develop: { watch: [{ path: ., action: rebuild }] } } }\n",
    });
    const cases = [
      [
        ["-f", "none.yaml", "watch"],
        "none of the selected services is configured for watch, consider setting a 'develop' section",
      ],
      [["-f", "image.yaml", "up", "-w"], 'can\'t watch service "one" with action rebuild without a build context'],
      [["-f", "none.yaml", "up", "-w", "--no-build"], "--no-build and --watch are incompatible"],
    ] as const;
    for (const [args, message] of cases) {
      const { code, stderr } = await box.varve(["compose", ...args], { cwd: box.path("other") });
      assert.equal(code, 1, stderr);
      assert.ok(stderr.includes(message), stderr);
    }
  });

  test("M22 M76 up --watch follows files beside the logs, also of containers that are made anew, until Ctrl-C stops all", async () => {
    watching = box.start(["compose", "up", "--watch", "--no-color"], { cwd });
    await watching.waitFor(/^ +⦿ Watch enabled$/m, said);
    put("Dockerfile", dockerfile("echo three >/version"));
    await watching.waitFor(/successfully built$[^]*^web-2 +\| up$/m, said);
    put("src/kept", "4");
    await come("cat /version /app/kept", "three\n4");
    await stop();
    assert.equal((await run("ps", "-q")).stdout.toString(), "");
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const begin = Date.now(); !(await holds()); await sleep(200))
    assert.ok(Date.now() - begin < patienceMs, "it did not come true");
}
