/** The end of a container, seen before its monitor has told of it: the monitor is held still meanwhile. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningCommand } from "../kit/command.ts";
import { describeEachWay } from "../kit/each-way.ts";
import { findSurvivors } from "../kit/processes.ts";
import { removeContainers } from "../kit/served.ts";

describeEachWay("the end of a container", (box) => {
  const text = async (...args: string[]): Promise<string> => (await box.succeed(args)).stdout.toString().trim();
  let monitor = 0;
  const letGo = (): void => {
    if (monitor === 0) return;
    const held = monitor;
    monitor = 0;
    process.kill(held, "SIGCONT");
  };
  /** A container that ends with 7, whose monitor has not heard of it, and what is asked of it then. */
  const lookAtEnd = async (name: string, words: readonly (readonly string[])[]): Promise<readonly string[]> => {
    const script = "trap 'exit 7' TERM; echo up; while :; do sleep 0.1; done";
    const id = await text("run", "-d", "--network", "none", "--name", name, "busybox", "sh", "-c", script);
    const log = box.start(["logs", "-f", name]);
    await log.waitFor(/up/, { stream: "stdout" });
    log.kill("SIGKILL");
    await log.result;
    const pid = Number(await text("inspect", "-f", "{{.State.Pid}}", name));
    monitor = Number(readFileSync(box.path("store/containers", id, "conmon.pid"), "utf8"));
    process.kill(monitor, "SIGSTOP");
    await text("kill", "-s", "TERM", name);
    assert.deepEqual(await findSurvivors([pid]), []);
    const looks = words.map((args): RunningCommand => box.start(args));
    const said = Promise.all(looks.map(async ({ result }) => await result));
    // whoever would not wait for the monitor has answered by then
    await Promise.race([said, sleep(3000)]);
    letGo();
    return (await said).map(({ stdout, stderr }) => `${stdout.toString()}${stderr}`.trim());
  };

  before(async () => void (await box.succeed(["pull", "busybox"])));
  after(async () => {
    letGo();
    await removeContainers(box);
  });

  test("inspect and ps tell the exit code that the monitor will write, not that of a kill", async () => {
    const said = await lookAtEnd("seen", [
      ["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "seen"],
      ["ps", "-a", "--filter", "name=seen", "--format", "{{.Status}}"],
    ]);
    assert.equal(said[0], "exited 7");
    assert.match(said[1] ?? "", /^Exited \(7\) /);
  });

  test("a start at once lets the monitor write the end down first", async () => {
    assert.deepEqual(await lookAtEnd("again", [["start", "again"]]), ["again"]);
    const filters = ["--filter", "container=again", "--filter", "event=die"];
    const format = ["--format", "{{.Actor.Attributes.exitCode}}"];
    assert.equal(await text("events", "--since", "1h", "--until", "0s", ...filters, ...format), "7");
  });
});
