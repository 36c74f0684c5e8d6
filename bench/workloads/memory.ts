import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeContext } from "../contexts.ts";
import type { Finding, Workload } from "../workload.ts";

/** Resident memory while a layer of many gigabytes goes through; a measure of Varve alone. */
export const memory: Workload = {
  name: "memory",
  async measure({ builders, folder, size }) {
    const [varve] = builders;
    if (varve === undefined) return [];
    const context = writeContext(folder("memory"), { Dockerfile: "FROM busybox\nCOPY data /data\n" });
    mkdirSync(join(context, "data"));
    writeFileSync(join(context, "data/large"), "");
    truncateSync(join(context, "data/large"), size.memoryGb * 1e9);
    const findings: Finding[] = [];
    for (const compression of ["gzip", "zstd"] as const) {
      const dest = join(folder(`memory-archive-${compression}`), "image.tar");
      const { argv, env } = varve.command(context, { archive: { dest, compression } });
      const child = spawn(argv[0] ?? "", argv.slice(1), { env, stdio: "ignore" });
      const exited = once(child, "exit");
      let done = false;
      void exited.then(() => (done = true));
      let peak = 0;
      while (!done) {
        peak = Math.max(peak, residentBytes(child.pid ?? 0));
        await sleep(50);
      }
      const [code] = (await exited) as [number | null];
      if (code !== 0) throw new Error(`the build of a layer of ${size.memoryGb} GB failed`);
      findings.push({
        what: `a layer of ${size.memoryGb} GB into an OCI archive, ${compression}: most memory resident at a time in all processes`,
        found: `${Math.round(peak / 1e6)} MB`,
        target: "300 MB",
      });
    }
    return findings;
  },
};

/** Of a process and all below it. Pages that they share, such as Node's own program, count for each. */
function residentBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    let bytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim();
      for (const child of children === "" ? [] : children.split(" ")) bytes += residentBytes(Number(child));
    }
    return bytes;
  } catch {
    return 0; // it has just ended
  }
}
