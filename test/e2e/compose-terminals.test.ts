/** Compose projects at a terminal: what is drawn, the menu, both Ctrl-C, and what is left of the terminal. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { describeEachWay } from "../kit/each-way.ts";
import type { Terminal } from "../kit/terminal.ts";

const sane = /(?:^|\s)icanon\b[\s\S]*(?:^|\s)echo\b/m;

/** The second service ends by no SIGTERM, and would be waited for an hour. */
const compose = `
services:
  talk:
    image: busybox
    command: [sh, -c, "trap 'exit 7' TERM; echo talk is here; while :; do sleep 0.1; done"]
    network_mode: none
  deaf:
    image: busybox
    command: [sh, -c, "trap '' TERM; echo deaf is here; while :; do sleep 1; done"]
    network_mode: none
    stop_grace_period: 1h
`;

describeEachWay("compose at a terminal", (box) => {
  const file = box.path("stage/compose.yaml");
  before(async () => {
    box.write("stage", { "compose.yaml": compose });
    await box.succeed(["pull", "busybox"]);
  });
  after(async () => {
    await box.varve(["compose", "-f", file, "kill"]);
    await box.varve(["compose", "-f", file, "down"]);
  });
  const open = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Terminal =>
    box.terminal(["compose", "-f", file, ...args], { env });
  const states = async (): Promise<readonly string[]> =>
    (await box.succeed(["compose", "-f", file, "ps", "-a", "--format", "{{.Service}} {{.State}} {{.ExitCode}}"])).stdout
      .toString()
      .trim()
      .split("\n");
  const assertRestored = async (terminal: Terminal, code: number): Promise<void> => {
    const ended = await terminal.ended;
    assert.equal(ended.code, code, terminal.shown());
    assert.match(ended.settings, sane);
    const shown = terminal.shown();
    assert.ok(shown.lastIndexOf("\u001b[?25h") >= shown.lastIndexOf("\u001b[?25l"), "the cursor is shown");
  };

  test("M20 what is done is drawn over itself, and the last frame has all of it", async () => {
    const up = open(["up", "-d"], { NO_COLOR: "1" });
    await assertRestored(up, 0);
    const last = up.shown().slice(up.shown().lastIndexOf("[+] Running"));
    assert.match(last, /^\[\+\] Running 2\/2\S*\r\n/);
    for (const service of ["talk", "deaf"])
      assert.match(last, new RegExp(` ✔ Container stage-${service}-1  Started +\\d+\\.\\ds`));

    const killed = open(["kill"]);
    await assertRestored(killed, 0);
    assert.match(killed.shown(), /\[\+\] Killing 2\/2/);
    const down = open(["down"], { COMPOSE_ANSI: "never" });
    await assertRestored(down, 0);
    assert.match(down.shown(), /^ Container stage-deaf-1 {2}Removing\r$/m);
    assert.ok(!down.shown().includes("\u001b["), "no sequences");
  });

  test("M22 attached up: colours, and d lets go of containers that run on", async () => {
    const up = open(["up"]);
    await up.waitFor(/Attaching to deaf-1, talk-1\r\n/);
    await up.waitFor(/Detach/);
    for (const seen = new Set<string>(); seen.size < 2;)
      seen.add((await up.waitFor(/\[3[36]m((?:deaf|talk)-1) {2}\| \S+ is here/))[1] ?? "");
    up.type("d");
    await assertRestored(up, 0);
    assert.deepEqual(await states(), ["deaf running 0", "talk running 0"]);
  });

  test("M22 the first Ctrl-C stops, the second one kills what does not stop", async () => {
    for (const menu of ["1", "0"]) {
      const up = open(["up"], { COMPOSE_MENU: menu });
      await up.waitFor(/Attaching to deaf-1, talk-1\r\n/);
      // both run from the first time on; of the second one something is said again
      if (menu === "0") for (const _ of [1, 2]) await up.waitFor(/(?:deaf|talk) is here/);
      else await up.waitFor(/Detach/);
      up.type("\x03");
      await up.waitFor(/Gracefully Stopping\.\.\. press Ctrl\+C again to force\r\n/);
      // one that hears it stops, the other one does not
      await up.waitFor(/talk-1 exited with code 7/);
      assert.equal(
        (await states()).find((line) => line.startsWith("deaf")),
        "deaf running 0",
      );
      up.type("\x03");
      await up.waitFor(/deaf-1 exited with code 137/);
      await assertRestored(up, 130);
      assert.deepEqual(await states(), ["deaf exited 137", "talk exited 7"]);
    }
  });

  test("M22 SIGTERM stops as Ctrl-C does, and only what was named", async () => {
    await box.succeed(["compose", "-f", file, "up", "-d", "deaf"]);
    const up = open(["up", "talk"]);
    await up.waitFor(/talk is here/);
    process.kill(up.programPid(), "SIGTERM");
    await up.waitFor(/Container stage-talk-1 {2}\S*Stopped/);
    await assertRestored(up, 130);
    assert.deepEqual(await states(), ["deaf running 0", "talk exited 7"]);
  });

  test("M22 Ctrl-C before anything runs ends the command as any other", async () => {
    await box.succeed(["compose", "-f", file, "kill"]);
    await box.succeed(["compose", "-f", file, "down"]);
    const slow = box.write("slow", {
      "compose.yaml": "services: { slow: { build: . } }\n",
      Dockerfile: "FROM busybox\nRUN echo it builds && sleep 10000\n",
    });
    const up = box.terminal(["compose", "-f", `${slow}/compose.yaml`, "up"]);
    await up.waitFor(/it builds/);
    up.type("\x03");
    await assertRestored(up, 130);
    assert.equal((await box.succeed(["ps", "-aq"])).stdout.toString(), "");
  });
});
