/** Streams, exit codes and signals of containers: run, exec, attach, logs. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { describeEachWay } from "../kit/each-way.ts";

const idPattern = /^[0-9a-f]{64}\n$/;
const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

describeEachWay("streams of containers", (box) => {
  const run = async (...args: string[]) => await box.varve(["run", "--rm", "--network", "none", ...args]);
  before(async () => {
    await box.succeed(["run", "-d", "--network", "none", "--name", "lasting", "busybox", "sleep", "100000"]);
  });
  after(async () => {
    await box.varve(["rm", "-f", "lasting"]);
  });

  test("a program's outputs come out apart, its exit code is the command's, and --rm leaves nothing", async () => {
    const { code, stdout, stderr } = await run("--name", "short", "busybox", "sh", "-c", "echo out; echo err >&2; exit 3");
    assert.deepEqual([code, stdout.toString(), stderr], [3, "out\n", "err\n"]);
    assert.match((await box.varve(["logs", "short"])).stderr, /No such container: short/);
  });

  test("what a fast program writes is never lost", async () => {
    const turns = Array.from({ length: 6 }, (_, turn) => `hi ${turn}\n`);
    const said = await Promise.all(turns.map(async (text) => (await run("busybox", "printf", text)).stdout.toString()));
    assert.deepEqual(said, turns);
  });

  test("50 MB go in and come out whole", async () => {
    const bytes = randomBytes(50_000_000);
    const { code, stdout } = await box.varve(["run", "--rm", "-i", "--network", "none", "busybox", "cat"], { input: bytes });
    assert.equal(code, 0);
    assert.equal(sha256(stdout), sha256(bytes));
    const there = await box.varve(["exec", "-i", "lasting", "sha256sum"], { input: bytes });
    assert.equal(there.stdout.toString(), `${sha256(bytes)}  -\n`);
  });

  test("a program that ends without reading all of its input has said all that it wanted", async () => {
    const { code, stdout, stderr } = await box.varve(["exec", "-i", "lasting", "head", "-c", "10"], {
      input: Buffer.alloc(3_000_000, "y"),
    });
    assert.deepEqual([code, stdout.toString(), stderr], [0, "y".repeat(10), ""]);
  });

  test("exit codes are Docker's: 125 for Varve's own failures, 126, 127, and 128 and the signal", async () => {
    const codeOf = async (...args: string[]) => (await run(...args)).code;
    assert.equal(await codeOf("busybox", "sh", "-c", 'sh -c "kill -TERM \\$\\$"; exit $?'), 143);
    assert.equal(await codeOf("busybox", "/etc"), 126);
    assert.equal(await codeOf("--no-such-flag", "busybox"), 125);
    assert.equal(await codeOf("--name", "lasting", "busybox"), 125);
    assert.equal(await codeOf("--pull", "never", "no-such-image"), 125);
    const missing = await run("busybox", "no-such-program");
    assert.equal(missing.code, 127);
    assert.match(missing.stderr, /exec: "no-such-program": executable file not found in \$PATH/);
  });

  test("-it without a terminal is refused, in the words that tools look for", async () => {
    for (const args of [
      ["run", "--rm", "-it", "busybox", "true"],
      ["exec", "-it", "lasting", "true"],
    ]) {
      const { code, stderr } = await box.varve(args);
      assert.deepEqual([code, /the input device is not a TTY/.test(stderr)], [1, true]);
    }
  });

  test("-d prints the ID, --cidfile keeps it, and refuses a file that is there", async () => {
    const cidFile = box.path("tmp", "cid");
    const args = [
      "run",
      "-d",
      "--rm",
      "--network",
      "none",
      "--name",
      "background",
      "--cidfile",
      cidFile,
      "busybox",
      "sleep",
      "1000",
    ];
    const { stdout } = await box.succeed(args);
    assert.match(stdout.toString(), idPattern);
    assert.equal(readFileSync(cidFile, "utf8"), stdout.toString().trim());
    const again = await box.varve(["run", "--cidfile", cidFile, "busybox"]);
    assert.equal(again.code, 125);
    assert.match(again.stderr, /container ID file found, make sure the other container isn't running or delete/);
    await box.succeed(["rm", "-f", "background"]);
    const failed = await run("--cidfile", box.path("tmp", "none"), "--pull", "never", "no-such-image");
    assert.deepEqual([failed.code, existsSync(box.path("tmp", "none"))], [125, false]);
    rmSync(cidFile);
  });

  test("signals are passed on, and the exit code is what the program makes of them", async () => {
    const script = 'trap "echo got; exit 4" TERM; echo ready >&2; while :; do sleep 0.1; done';
    const running = box.start(["run", "--rm", "--network", "none", "busybox", "sh", "-c", script]);
    await running.waitFor(/ready/);
    running.kill("SIGTERM");
    const { code, stdout } = await running.result;
    assert.deepEqual([code, stdout.toString()], [4, "got\n"]);
  });

  test("without --sig-proxy a signal ends the command, and the container runs on", async () => {
    const args = [
      "run",
      "--sig-proxy=false",
      "--name",
      "left",
      "--network",
      "none",
      "busybox",
      "sh",
      "-c",
      "echo ready >&2; sleep 1000",
    ];
    const running = box.start(args);
    await running.waitFor(/ready/);
    running.kill("SIGINT");
    assert.equal((await running.result).code, 130);
    assert.equal((await box.succeed(["exec", "left", "echo", "there"])).stdout.toString(), "there\n");
    await box.succeed(["rm", "-f", "left"]);
  });

  test("exec runs as who and where it is told, with its own exit codes", async () => {
    const exec = async (...args: string[]) => {
      const { code, stdout, stderr } = await box.varve(["exec", ...args]);
      return [code, stdout.toString(), stderr] as const;
    };
    assert.deepEqual(
      await exec("-u", "5:6", "-w", "/tmp", "-e", "A=b c", "lasting", "sh", "-c", 'id -u; id -g; pwd; echo "$A"; exit 9'),
      [9, "5\n6\n/tmp\nb c\n", ""],
    );
    const [code, , stderr] = await exec("lasting", "no-such-program");
    assert.equal(code, 127);
    assert.match(stderr, /OCI runtime exec failed: exec failed: .*"no-such-program": executable file not found in \$PATH/);
    assert.equal((await exec("lasting", "/etc"))[0], 126);
    assert.equal((await exec("-w", "/no/such", "lasting", "true"))[0], 127);
    assert.match((await exec("-u", "nobody-knows", "lasting", "true"))[2], /unable to find user "?nobody-knows/);
    assert.deepEqual((await exec("no-such-container", "true")).slice(0, 2), [1, ""]);
  });

  test("a detached exec goes on by itself, and nothing of those that ended is left", async () => {
    await box.succeed(["exec", "-d", "lasting", "sh", "-c", "echo done > /tmp/made"]);
    const made = async () => (await box.varve(["exec", "lasting", "cat", "/tmp/made"])).stdout.toString();
    for (const begin = Date.now(); (await made()) !== "done\n"; await sleep(50)) assert.ok(Date.now() - begin < 60_000);
    // what wrote it may be on its way out
    const list = async () => (await box.succeed(["exec", "lasting", "ps", "-o", "args"])).stdout.toString().trim().split("\n");
    let left = await list();
    for (const begin = Date.now(); left.length > 3 && Date.now() - begin < 60_000; await sleep(50)) left = await list();
    assert.deepEqual(left, ["COMMAND", "sleep 100000", "ps -o args"]);
  });

  test("logs begin where they are asked to, with times on request, and a last line without an end has none", async () => {
    await run("--rm=false", "--name", "told", "busybox", "sh", "-c", "echo one; echo two; printf 'three without end'");
    const logs = async (...args: string[]) => {
      const { stdout, stderr } = await box.succeed(["logs", ...args, "told"]);
      return [stdout.toString(), stderr] as const;
    };
    assert.deepEqual(await logs("-f"), ["one\ntwo\nthree without end", ""]);
    assert.deepEqual(await logs("-n", "2"), ["two\nthree without end", ""]);
    const [stamped] = await logs("-t", "--tail", "1");
    const [, time = ""] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) three without end$/.exec(stamped) ?? [];
    assert.match((await logs("--since", time))[0], /three without end$/);
    assert.deepEqual(await logs("--until", "1h"), ["", ""]);
    const wrong = await box.varve(["logs", "--since", "soon", "told"]);
    assert.match(wrong.stderr, /invalid value for "since": failed to parse value as time or duration: "soon"/);
    await box.succeed(["rm", "told"]);
  });

  test("logs -f goes along with a container to its end, and attach shows what it writes from then on", async () => {
    const script = "echo ready; read word; echo got $word; echo last >&2; exit 6";
    await box.succeed(["run", "-d", "-i", "--name", "asked", "--network", "none", "busybox", "sh", "-c", script]);
    const follower = box.start(["logs", "-f", "asked"]);
    // what is in the log is written, and not for those who come then
    await follower.waitFor(/ready/, { stream: "stdout" });
    const attached = await box.varve(["attach", "asked"], { input: "word\n" });
    assert.deepEqual([attached.code, attached.stdout.toString(), attached.stderr], [6, "got word\n", "last\n"]);
    const followed = await follower.result;
    assert.deepEqual([followed.code, followed.stdout.toString(), followed.stderr], [0, "ready\ngot word\n", "last\n"]);
    const late = await box.varve(["attach", "asked"]);
    assert.deepEqual([late.code, /You cannot attach to a stopped container, start it first/.test(late.stderr)], [1, true]);
    await box.succeed(["rm", "asked"]);
  });

  test("a command that is killed leaves its container running", async () => {
    const args = ["run", "--name", "orphan", "--network", "none", "busybox", "sh", "-c", "echo ready >&2; exec sleep 1000"];
    const running = box.start(args);
    await running.waitFor(/ready/);
    running.kill("SIGKILL");
    await running.result;
    assert.equal((await box.succeed(["exec", "orphan", "echo", "there"])).stdout.toString(), "there\n");
    await box.succeed(["rm", "-f", "orphan"]);
  });
});
