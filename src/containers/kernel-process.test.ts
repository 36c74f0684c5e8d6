import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findProcess, isRunning, signalProcess, untilGone } from "./kernel-process.ts";

const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill("SIGKILL");
});

/** Ends the thread that calls it, and no other (_exit(2), "C library/kernel differences"). */
const endThread = `require("koffi").load("libc.so.6").func("long syscall(long number, long code)")(process.arch === "arm64" ? 93 : 60, 0)`;

test("a process whose first thread has ended runs until the last one has: its sockets are open for as long", async () => {
  const child = spawn(process.execPath, ["-e", endThread], { cwd: import.meta.dirname, stdio: "ignore" });
  children.push(child);
  const pid = child.pid ?? 0;
  for (const begin = Date.now(); !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8")); await sleep(10))
    assert.ok(Date.now() - begin < 60_000, "its first thread goes on");
  const found = findProcess(pid);
  assert.ok(found !== undefined && isRunning(found));
  assert.ok(signalProcess(found, "SIGKILL"));
  assert.ok(await untilGone(found, { timeoutMs: 60_000 }));
  assert.equal(findProcess(pid), undefined);
});
