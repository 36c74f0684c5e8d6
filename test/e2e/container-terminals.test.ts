/** Terminals of containers, driven as a person does: keys, sizes, detaching, and what is left of the terminal. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { describeEachWay } from "../kit/each-way.ts";

const sane = /(?:^|\s)icanon\b[\s\S]*(?:^|\s)echo\b/m;

describeEachWay("terminals of containers", (box) => {
  before(async () => {
    await box.succeed(["run", "-d", "--network", "none", "--name", "lasting", "busybox", "sleep", "100000"]);
  });
  after(async () => {
    await box.varve(["rm", "-f", "lasting"]);
  });

  test("exec -it types a word and reads the answer, byte for byte, and leaves the terminal as it was", async () => {
    const script = 'printf "word? "; read word; echo "it is $word"; exit 5';
    const terminal = box.terminal(["exec", "-it", "lasting", "sh", "-c", script]);
    await terminal.waitFor(/word\? /);
    terminal.type("tree\r");
    await terminal.waitFor(/tree\r\nit is tree\r\n/);
    const { code, settings } = await terminal.ended;
    assert.equal(code, 5);
    assert.match(settings, sane);
  });

  test("the program has the terminal's size from the beginning, and hears when it changes", async () => {
    const script = 'trap "stty size" WINCH; stty size; while :; do sleep 0.1; done';
    for (const args of [
      ["exec", "-it", "lasting", "sh", "-c", script],
      ["run", "--rm", "-it", "--network", "none", "busybox", "sh", "-c", script],
    ]) {
      const terminal = box.terminal(args, { rows: 33, columns: 101 });
      await terminal.waitFor(/33 101\r\n/);
      terminal.resize(44, 120);
      await terminal.waitFor(/44 120\r\n/);
      // Ctrl-C is the program's
      terminal.type("\x03");
      assert.equal((await terminal.ended).code, 130);
    }
  });

  test("detach keys leave a container running, and attach comes back to it", async () => {
    const first = box.terminal(["run", "-it", "--name", "held", "--network", "none", "busybox", "sh"]);
    await first.waitFor(/# /);
    first.type("word=kept\r");
    await first.waitFor(/kept\r\n.*# /);
    first.type("\x10\x11");
    assert.equal((await first.ended).code, 0);
    assert.match((await first.ended).settings, sane);

    const second = box.terminal(["attach", "--detach-keys", "ctrl-a,d", "held"]);
    // The shell draws its prompt anew when the size changes; what is typed before is not lost either
    second.type('echo "word is $word"\r');
    await second.waitFor(/word is kept\r\n/);
    second.type("\x01d");
    await second.waitFor(/read escape sequence/);
    assert.equal((await second.ended).code, 1);

    const third = box.terminal(["attach", "held"]);
    third.type("exit 7\r");
    assert.equal((await third.ended).code, 7);
    await box.succeed(["rm", "held"]);
  });

  test("a command that is ended puts the terminal back, and the program runs on", async () => {
    const terminal = box.terminal(["exec", "-it", "lasting", "sh", "-c", "echo ready; exec sleep 777"]);
    await terminal.waitFor(/ready/);
    process.kill(terminal.programPid(), "SIGTERM");
    const { code, settings } = await terminal.ended;
    assert.equal(code, 143);
    assert.match(settings, sane);
    const list = async () => (await box.succeed(["exec", "lasting", "ps", "-o", "args"])).stdout.toString();
    for (const begin = Date.now(); !/^sleep 777$/m.test(await list()); await sleep(50))
      assert.ok(Date.now() - begin < 60_000, await list());
  });
});
