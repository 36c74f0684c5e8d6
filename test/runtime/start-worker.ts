/** Starts `step-worker.ts` in fresh namespaces, as root or as an ordinary user, and talks to it. */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { StepAnswer, StepRequest } from "./step-worker.ts";

export interface TestWorker {
  ask(request: StepRequest): Promise<StepAnswer>;
  end(): Promise<void>;
}

/** An ordinary user: this one, or for root the first that has subordinate ids. */
interface Person {
  readonly uid: number;
  readonly gid: number;
}

/** The ways in which a worker can live on this machine. */
export function waysToLive(): ("root" | "user namespace")[] {
  const root = process.getuid?.() === 0;
  return [...(root ? (["root"] as const) : []), ...(ordinaryPerson() === undefined ? [] : (["user namespace"] as const))];
}

function ordinaryPerson(): Person | undefined {
  const own = process.getuid?.() ?? 0;
  if (own !== 0) return { uid: own, gid: process.getgid?.() ?? own };
  const [name = ""] = /^[^:]+/.exec(readFileSync("/etc/subuid", { encoding: "utf8", flag: "a+" })) ?? [];
  const ids = ["-u", "-g"].map((flag) => Number(spawnSync("id", [flag, name]).stdout.toString() || Number.NaN));
  const [uid = Number.NaN, gid = Number.NaN] = ids;
  return Number.isNaN(uid) || name === "" ? undefined : { uid, gid };
}

export function startWorker(way: "root" | "user namespace", runtime: string): TestWorker {
  const scratch = mkdtempSync(join(tmpdir(), "varve-runtime-"));
  const namespaces = ["-m", "-p", "-f", "--mount-proc", "--kill-child"];
  const program = [process.execPath, join(import.meta.dirname, "step-worker.ts"), runtime, scratch];
  let command = ["unshare", ...namespaces, ...program];
  if (way === "user namespace") {
    const person = ordinaryPerson();
    if (person === undefined) throw new Error("nobody has subordinate ids here");
    chmodSync(scratch, 0o755);
    chownSync(scratch, person.uid, person.gid);
    command = ["unshare", "--user", "--map-auto", "--map-root-user", ...namespaces, ...program];
    if (process.getuid?.() === 0)
      command = ["setpriv", `--reuid=${person.uid}`, `--regid=${person.gid}`, "--clear-groups", ...command];
  }
  const [name = "", ...args] = command;
  const child = spawn(name, args, { stdio: ["pipe", "pipe", "inherit"], cwd: "/" });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exit = new Promise((resolve) => child.once("exit", resolve));
  return {
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const line = await lines.next();
      if (line.done === true) throw new Error("the test worker died");
      return JSON.parse(line.value) as StepAnswer;
    },
    async end() {
      child.stdin.end();
      await exit;
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}
