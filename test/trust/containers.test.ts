/** Many containers, started and stopped at the same time, some without their monitor: the list is true, and nothing is left. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openVarve } from "../../src/engine/index.ts";
import { describeEachWay } from "../kit/each-way.ts";
import { isAlive } from "../kit/processes.ts";
import { tell } from "./scale.ts";

const count = 50;
const at = 10;
const every = (step: number, offset: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => index).filter((index) => index % step === offset);

describeEachWay("fifty containers", (box) => {
  const names = Array.from({ length: count }, (_, index) => `c${index}`);
  const pick = (indexes: readonly number[]): readonly string[] => indexes.map((index) => names[index] ?? "");
  const ask = async (...args: string[]): Promise<string> => (await box.succeed(args)).stdout.toString().trim();
  const list = async (): Promise<ReadonlyMap<string, string>> =>
    new Map(
      (await ask("ps", "-a", "--format", "{{.Names}} {{.State}}"))
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => line.split(" ") as [string, string]),
    );
  /** Runs commands, ten at the same time. */
  const inLanes = async (words: readonly (readonly string[])[]): Promise<void> => {
    const queue = [...words];
    const lane = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await box.succeed(next);
    };
    await Promise.all(Array.from({ length: at }, lane));
  };
  after(async () => {
    await box.varve(["rm", "-f", ...names]);
  });

  test(`${count} containers, ${at} at a time, some killed with their monitor: ps tells the truth, rm -f leaves nothing`, async () => {
    await box.succeed(["pull", "busybox"]);
    await inLanes(names.map((name) => ["run", "-d", "--network", "none", "--name", name, "busybox", "sleep", "100000"]));
    assert.deepEqual(
      [...(await list())].filter(([, state]) => state !== "running"),
      [],
    );
    const format = "{{.Id}} {{.State.Pid}}";
    const found = (await ask("inspect", "-f", format, ...names)).split("\n").map((line) => line.split(" "));
    const ids = found.map(([id = ""]) => id);
    const pids = found.map(([, pid]) => Number(pid));
    const folders = ids.map((id) => box.path("store/containers", id));
    const monitors = folders.map((folder) => Number(readFileSync(join(folder, "conmon.pid"), "utf8")));
    assert.ok(pids.every(isAlive) && monitors.every(isAlive));

    const stopped = every(5, 0);
    const withoutMonitor = every(5, 1);
    const ended = every(5, 2);
    for (const index of withoutMonitor) process.kill(monitors[index] ?? 0, "SIGKILL");
    for (const index of ended) process.kill(pids[index] ?? 0, "SIGKILL");
    await inLanes(pick(stopped).map((name) => ["stop", "-t", "0", name]));

    const over = new Set(pick([...stopped, ...withoutMonitor, ...ended]));
    for (const begin = Date.now(); ; await sleep(200)) {
      const states = await list();
      const wrong = [...states].filter(([name, state]) => state !== (over.has(name) ? "exited" : "running"));
      if (wrong.length === 0) break;
      assert.ok(Date.now() - begin < 120_000, `the list is not true: ${JSON.stringify(wrong)}`);
    }
    for (const index of [...stopped, ...withoutMonitor, ...ended]) assert.equal(isAlive(pids[index] ?? 0), false);
    assert.equal(await ask("inspect", "-f", "{{.State.ExitCode}}", pick(withoutMonitor)[0] ?? ""), "137");

    await box.succeed(["start", ...pick(ended.slice(0, 2)), ...pick(withoutMonitor.slice(0, 2))]);
    await box.succeed(["rm", "-f", ...names]);
    assert.equal((await list()).size, 0);
    assert.deepEqual(readdirSync(box.path("store/containers")), []);
    assert.deepEqual([...pids, ...monitors].filter(isAlive), []);
    assert.deepEqual(
      ids.filter((id) => listCgroups().includes(id)),
      [],
    );
    await box.checkLeaks();
    tell({ containers: count, "without their monitor": withoutMonitor.length });
  });

  if (box.way.name === "as root") {
    test("a library that is used by itself starts, waits for and removes a container", async () => {
      await using varve = openVarve({
        root: box.path("store"),
        configPath: box.path("varve.toml"),
        path: process.env["PATH"] ?? "",
      });
      const { id } = await varve.containers.create({
        image: "busybox",
        command: ["sh", "-c", "exit 5"],
        host: { networkMode: "none" },
      });
      await varve.containers.start(id);
      assert.equal(await varve.containers.wait(id), 5);
      await varve.containers.remove(id);
      await assert.rejects(varve.containers.get(id), /No such container/);
    });
  }
});

/** Names of all cgroups two levels down, where containers have theirs. */
function listCgroups(): readonly string[] {
  const base = "/sys/fs/cgroup";
  const trees = existsSync(join(base, "cgroup.controllers")) ? [base] : readdirSync(base).map((name) => join(base, name));
  return trees.flatMap((tree) => {
    const folder = join(tree, "varve-containers");
    return existsSync(folder) ? readdirSync(folder) : [];
  });
}
