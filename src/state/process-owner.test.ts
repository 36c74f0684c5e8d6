import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isOwnerAlive, ownerOf, processOwner } from "./index.ts";

test("F3 a process that was killed is dead, also where its parent has not taken notice of it", async () => {
  // what the shell becomes does not know that it has a child
  const parent = spawn("sh", ["-c", "sleep 600 & echo $!; exec sleep 600"], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(parent, "exit");
  try {
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    const owner = ownerOf(pid);
    assert.deepEqual([isOwnerAlive(owner), isOwnerAlive(processOwner())], [true, true]);
    while (!readFileSync(`/proc/${parent.pid}/cmdline`, "utf8").startsWith("sleep")) await sleep(10);
    process.kill(pid, "SIGKILL");
    while (!/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) await sleep(10);
    assert.equal(isOwnerAlive(owner), false);
  } finally {
    parent.kill("SIGKILL");
    await ended;
  }
});
