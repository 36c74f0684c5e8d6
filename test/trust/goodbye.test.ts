/** Ctrl-C, and readers that go away: the build ends, in good order, and leaves nothing. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { once } from "node:events";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findSurvivors, listDescendants } from "../kit/processes.ts";
import { makeSandbox } from "../kit/sandbox.ts";
import { hasProgram } from "../kit/ways.ts";
import { auditStore } from "./audit-store.ts";
import { tell } from "./scale.ts";

const endless = "FROM busybox\nRUN echo begun > /file && sleep 600 & echo the step runs && wait\n";
const big = "FROM busybox\nRUN dd if=/dev/urandom of=/big bs=64k count=400\n";

describe("goodbyes", () => {
  const box = makeSandbox();
  const counts = { goodbyes: 0 };
  after(async () => {
    await box.remove();
    tell(counts);
  });
  const assertClean = async (pids: readonly number[]): Promise<void> => {
    await box.checkLeaks();
    assert.deepEqual(await findSurvivors(pids), []);
    await box.succeed(["builder", "prune", "-f"]);
    assert.deepEqual(auditStore(box.path("store")), []);
    counts.goodbyes += 1;
  };

  test("F7 one SIGINT ends a build in good order", async () => {
    const context = box.write("endless", { Dockerfile: endless });
    const build = box.start(["build", "--progress=plain", "-t", "never", context]);
    await build.waitFor(/ the step runs$/m);
    const pids = listDescendants(build.pid);
    const began = performance.now();
    build.kill("SIGINT");
    const { code } = await build.result;
    process.stderr.write(`  ended ${Math.round(performance.now() - began)} ms after SIGINT\n`);
    assert.equal(code, 130);
    await assertClean(pids);
  });

  test("F7 Ctrl-C in a terminal does the same, and the cursor is shown again", async () => {
    assert.ok(hasProgram("script"), "util-linux's script is on the machine");
    const context = box.write("endless", { Dockerfile: endless });
    // the terminal's own driver makes the signal of the key
    const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
    const command = `exec '${process.execPath}' '${main}' build --progress=tty -t never '${context}'`;
    const terminal = spawn("script", ["-qec", command, "/dev/null"], {
      stdio: ["pipe", "pipe", "inherit"],
      env: {
        ...process.env,
        TERM: "xterm",
        VARVE_ROOT: box.path("store"),
        VARVE_CONFIG: box.path("varve.toml"),
        TMPDIR: box.path("tmp"),
        HOME: box.path("home"),
      },
    });
    let seen = "";
    terminal.stdout.on("data", (chunk: Buffer) => (seen += chunk.toString()));
    for (const began = Date.now(); !seen.includes("the step runs") && Date.now() - began < 60_000;) await sleep(20);
    assert.match(seen, /the step runs/);
    const pids = listDescendants(terminal.pid ?? 0);
    const began = performance.now();
    const closed = once(terminal, "close");
    terminal.stdin.write("\u0003");
    const [code] = (await closed) as [number];
    process.stderr.write(`  ended ${Math.round(performance.now() - began)} ms after Ctrl-C\n`);
    assert.equal(code, 130, seen.slice(-2000));
    const [hidden, shown] = [seen.lastIndexOf("\u001b[?25l"), seen.lastIndexOf("\u001b[?25h")];
    assert.ok(hidden < 0 || shown > hidden, `the cursor stays hidden: ${JSON.stringify(seen.slice(-300))}`);
    await assertClean(pids);
  });

  for (const stream of ["stdout", "stderr"] as const) {
    test(`F7 a build whose ${stream} nobody reads any more ends, and leaves nothing`, async () => {
      const context = box.write("talks", { Dockerfile: "FROM busybox\nRUN while :; do echo talk; sleep 0.05; done\n" });
      const script = stream === "stdout" ? '"$@" 2>&1 | head -n 8' : '"$@" 2>&1 >/dev/null | head -n 8';
      const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
      const shell = spawn(
        "bash",
        ["-c", `set -o pipefail; ${script}`, "sh", process.execPath, main, "build", "--progress=plain", context],
        {
          stdio: ["ignore", "ignore", "inherit"],
          env: {
            ...process.env,
            VARVE_ROOT: box.path("store"),
            VARVE_CONFIG: box.path("varve.toml"),
            TMPDIR: box.path("tmp"),
            HOME: box.path("home"),
          },
        },
      );
      const ended = once(shell, "exit");
      await sleep(200);
      const pids = listDescendants(shell.pid ?? 0);
      const [code] = (await ended) as [number];
      assert.equal(code, 141);
      await assertClean(pids);
    });
  }

  test("F7 a save whose reader is killed, and one into a file that is killed, leave no file and a whole store", async () => {
    const context = box.write("big", { Dockerfile: big });
    await box.succeed(["build", "-q", "-t", "big", context]);
    const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
    const env = {
      ...process.env,
      VARVE_ROOT: box.path("store"),
      VARVE_CONFIG: box.path("varve.toml"),
      TMPDIR: box.path("tmp"),
      HOME: box.path("home"),
    };
    const save = spawn(process.execPath, [main, "save", "big"], { stdio: ["ignore", "pipe", "inherit"], env });
    const reader = spawn("sh", ["-c", "head -c 100000 >/dev/null; sleep 600"], { stdio: [save.stdout, "ignore", "ignore"] });
    save.stdout.destroy();
    const saved = once(save, "exit");
    await sleep(1500);
    reader.kill("SIGKILL");
    const [code] = (await saved) as [number];
    assert.equal(code, 141);
    const toFile = box.start(["save", "-o", "big.tar", "big"]);
    let over = false;
    void toFile.result.then(() => (over = true));
    // where it is so fast that the signal finds it gone, the file is whole
    while (!over && !readdirSync(box.folder).some((name) => name.startsWith(".big.tar."))) await sleep(5);
    toFile.kill("SIGINT");
    const { code: ended, stderr } = await toFile.result;
    assert.ok(ended === 130 || ended === 0, stderr);
    assert.equal(existsSync(box.path("big.tar")), ended === 0);
    assert.deepEqual(
      readdirSync(box.folder).filter((name) => name.startsWith(".")),
      [],
    );
    await assertClean([]);
  });
});
