/**
 * Stands in for Varve's worker in tests of src/runtime: started inside fresh namespaces, it runs the steps that come as JSON lines
 * on stdin, each in a busybox root of its own, and answers each with a JSON line.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { isVarveError } from "../../src/errors/index.ts";
import { findRuntime, prepareCgroups, readHostFacts, runProcess, type ContainerProcess } from "../../src/runtime/index.ts";
import { mount, unmount } from "../../src/sys/index.ts";

export interface StepRequest {
  /** Run by the worker's shell with $ROOT (the step's root) and $OUT (a folder beside it), before and after the step. */
  readonly prepare?: string;
  readonly inspect?: string;
  readonly process: Partial<ContainerProcess>;
  /** Abort this long after the step wrote its first line. */
  readonly abortAfterMs?: number;
  readonly graceMs?: number;
  /** Answer with the number of bytes only. */
  readonly countOnly?: boolean;
}

export interface StepAnswer {
  readonly exitCode?: number;
  readonly notStarted?: string;
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
  readonly out: string;
  readonly err: string;
  readonly outBytes: number;
  readonly inspected: string;
  readonly stopMs: number;
  /** Descriptors open after the step that were not open before. */
  readonly leakedFds: readonly string[];
  /** What is left in the state folder. */
  readonly leftState: readonly string[];
}

const [, , runtimeName = "runc", scratch = "/tmp"] = process.argv;
const runtime = await findRuntime({ path: process.env["PATH"] ?? "", preferred: runtimeName });
const facts = readHostFacts();
prepareCgroups();
const stateDir = mkdtempSync(join(scratch, "state-"));

const defaults: ContainerProcess = {
  args: ["/bin/sh", "-c", "true"],
  env: ["PATH=/bin"],
  cwd: "/",
  user: { uid: 0, gid: 0, additionalGids: [] },
  hostname: "",
  network: "none",
  security: "sandbox",
  ulimits: [],
  readonlyRoot: false,
  extraHosts: [],
  mounts: [],
};

const busybox = "/bin/busybox";

async function serve(request: StepRequest): Promise<StepAnswer> {
  const folder = mkdtempSync(join(scratch, "step-"));
  const root = join(folder, "root");
  const out = join(folder, "out");
  for (const path of [root, out, `${root}-mounted`]) mkdirSync(path);
  execFileSync(
    "/bin/sh",
    [
      "-c",
      'mkdir -p "$ROOT/bin" "$ROOT/etc" "$ROOT/tmp"; chmod 1777 "$ROOT/tmp"; echo "root:x:0:0::/root:/bin/sh" > "$ROOT/etc/passwd"',
    ],
    {
      env: { ...process.env, ROOT: root },
    },
  );
  cpSync(busybox, join(root, "bin/busybox"));
  const applets =
    "sh cat id env pwd sleep echo mount ls dd umask stat touch mknod hostname grep head yes kill rm ln mkdir true".split(" ");
  for (const applet of applets) execFileSync("ln", ["-s", "busybox", join(root, "bin", applet)]);
  const environment = { ...process.env, ROOT: root, OUT: out };
  const script = (text: string | undefined): string =>
    text === undefined ? "" : execFileSync("/bin/sh", ["-c", text], { env: environment }).toString();
  script(request.prepare);
  mount(root, root, undefined, 4096); // a mount of its own, as the worker's overlay is one
  const before = new Set(openDescriptors());
  const controller = new AbortController();
  let aborted = 0;
  const chunks: Record<1 | 2, Buffer[]> = { 1: [], 2: [] };
  let outBytes = 0;
  const abortSoon = async (afterMs: number): Promise<void> => {
    await wait(afterMs);
    aborted = Date.now();
    controller.abort();
  };
  let scheduled: Promise<void> | undefined;
  const text = (stream: 1 | 2): string => Buffer.concat(chunks[stream]).toString();
  const expand = (value: unknown): ContainerProcess =>
    JSON.parse(JSON.stringify(value).replaceAll("$OUT", out)) as ContainerProcess;
  let result: Partial<StepAnswer>;
  try {
    result = await runProcess(
      {
        runtime,
        facts,
        process: expand({ ...defaults, ...request.process }),
        rootPath: root,
        stateDir,
        ...(request.graceMs === undefined ? {} : { graceMs: request.graceMs }),
      },
      {
        signal: controller.signal,
        onOutput(stream, chunk) {
          if (stream === 1) outBytes += chunk.length;
          if (request.countOnly !== true) chunks[stream].push(Buffer.from(chunk));
          if (request.abortAfterMs !== undefined) scheduled ??= abortSoon(request.abortAfterMs);
        },
      },
    );
  } catch (error) {
    if (!isVarveError(error)) throw error;
    result = { error: { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) } };
  }
  const stopMs = aborted === 0 ? 0 : Date.now() - aborted;
  await scheduled;
  await wait(0);
  const leakedFds = openDescriptors().filter((entry) => !before.has(entry));
  unmount(root);
  const inspected = script(request.inspect);
  rmSync(folder, { recursive: true, force: true });
  return { ...result, out: text(1), err: text(2), outBytes, inspected, stopMs, leakedFds, leftState: readdirSync(stateDir) };
}

function openDescriptors(): string[] {
  const entries: string[] = [];
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      entries.push(`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`);
    } catch {
      continue; // the descriptor of this very listing
    }
  }
  return entries;
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await serve(JSON.parse(line) as StepRequest);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
rmSync(stateDir, { recursive: true, force: true });
