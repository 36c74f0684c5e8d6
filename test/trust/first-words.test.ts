/** The shortest container there is, again and again: what it says is all there each time, at a terminal and without. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { makeSandbox } from "../kit/sandbox.ts";
import { ways } from "../kit/ways.ts";
import { isLong, tell } from "./scale.ts";

const times = isLong ? 100 : 25;
/** A terminal has more to lose. */
const pipes = isLong ? 100 : 10;

for (const way of ways)
  describe(`echo hi, ${times} times, ${way.name}`, () => {
    const box = makeSandbox(way);
    const counts = { "echo hi at a terminal": 0, "echo hi in a pipe": 0 };
    after(async () => {
      await box.remove();
      tell(counts);
    });
    const args = ["run", "--rm", "--network", "none"];

    test("at a terminal it says hi and nothing else, ends with 0, and leaves the terminal as it was", async () => {
      await box.succeed(["pull", "busybox"]);
      for (let time = 0; time < times; time++) {
        const terminal = box.terminal([...args, "-it", "busybox", "echo", "hi"]);
        const { code, settings } = await terminal.ended;
        const [, shown] = /~tty \S+ \d+~\r\n([\s\S]*)~settings~/.exec(terminal.shown()) ?? [];
        assert.deepEqual([shown, code], ["hi\r\n", 0], `time ${time + 1}`);
        assert.match(settings, /(?:^|\s)icanon\b[\s\S]*(?:^|\s)echo\b/m);
        counts["echo hi at a terminal"] += 1;
      }
    });

    test("in a pipe it says hi and nothing else, and ends with 0", async () => {
      for (let time = 0; time < pipes; time++) {
        const { code, stdout, stderr } = await box.varve([...args, "busybox", "echo", "hi"]);
        assert.deepEqual([stdout.toString(), stderr, code], ["hi\n", "", 0], `time ${time + 1}`);
        counts["echo hi in a pipe"] += 1;
      }
    });
  });
