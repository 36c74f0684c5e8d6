import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { chmodSync, cpSync, lchownSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { TestContext } from "node:test";

const repo = resolve(import.meta.dirname, "../..");

/** Contents of a folder: text of a file, a link, or a file with mode. Names may have slashes. */
export type Files = Readonly<Record<string, string | { readonly link: string } | { readonly text: string; readonly mode: number }>>;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** The built command line with a store and a context of its own. */
export interface Trial {
  /** Everything of the test is in here. */
  readonly folder: string;
  readonly context: string;
  readonly store: string;
  write(files: Files): void;
  /** Runs the command line in the context folder. */
  varve(...args: string[]): Promise<Outcome>;
  feed(input: Buffer | string, ...args: string[]): Promise<Outcome>;
  start(...args: string[]): ChildProcess;
}

/** A trial that is gone after the test. `ordinary` runs the command line as a user without privileges. */
export function openTrial(t: TestContext, files: Files = {}, { ordinary = false }: { readonly ordinary?: boolean } = {}): Trial {
  const folder = mkdtempSync(join(tmpdir(), "varve-trial-"));
  t.after(() => removeTree(folder));
  chmodSync(folder, 0o755);
  const context = join(folder, "context");
  mkdirSync(context);
  writeFiles(context, files);
  const user = ordinary ? needOrdinaryUser() : undefined;
  const program = user ? installFor(folder) : { node: process.execPath, main: join(repo, "dist/cli/main.js") };
  const { PATH = "", VARVE_CONFIG } = process.env;
  const config = join(folder, "varve.toml");
  if (VARVE_CONFIG !== undefined) cpSync(VARVE_CONFIG, config);
  if (user) chownTree(folder, user);
  const store = join(folder, "store");
  const env = { PATH, HOME: folder, VARVE_ROOT: store, VARVE_CONFIG: config, TMPDIR: tmpdir() };
  const start = (...args: string[]): ChildProcess =>
    spawn(program.node, [program.main, ...args], { cwd: context, env, stdio: ["pipe", "pipe", "pipe"], ...(user ? { uid: user.uid, gid: user.gid } : {}) });
  return {
    folder,
    context,
    store,
    write(more) {
      writeFiles(context, more);
      if (user) chownTree(context, user);
    },
    start,
    varve: (...args) => finish(start(...args)),
    feed: (input, ...args) => finish(start(...args), input),
  };
}

export async function finish(child: ChildProcess, input?: Buffer | string): Promise<Outcome> {
  const stdout: Buffer[] = [];
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  const code = await new Promise<number | null>((done) => child.on("close", done));
  return { code, stdout: Buffer.concat(stdout), stderr };
}

/** Steps of plain progress by how they ended, in order; internal ones left out. */
export function stepsOf(stderr: string): { readonly ran: string[]; readonly cached: string[] } {
  const names = new Map<string, string>();
  const steps = { ran: [] as string[], cached: [] as string[] };
  for (const line of stderr.split("\n")) {
    const [, id = "", rest = ""] = /^#(\d+) (.*)$/.exec(line) ?? [];
    if (rest.startsWith("[") && !names.has(id)) names.set(id, rest);
    const name = names.get(id);
    if (name === undefined || name.startsWith("[internal]")) continue;
    if (rest === "CACHED") steps.cached.push(name);
    else if (/^DONE \d/.test(rest) && !steps.cached.includes(name)) steps.ran.push(name);
  }
  return steps;
}

/** Mounts in any mount namespace and processes that have to do with a folder: what a build left behind. */
export function leftIn(folder: string): string[] {
  const left: string[] = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    const mounts = readProc(`/proc/${pid}/mountinfo`).split("\n").filter((line) => line.includes(folder));
    const command = readProc(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
    if (mounts.length > 0) left.push(`process ${pid} sees ${mounts.length} mounts: ${command}`);
    else if (command.includes(folder)) left.push(`process ${pid}: ${command}`);
  }
  return left;
}

function readProc(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    // The process has ended, or is a zombie, which has no mounts.
    if (["ENOENT", "ESRCH", "EINVAL", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

const ordinaryUserName = "varvetest";

/** The user for tests without privileges, whom test.sh makes; undefined where the tests run without privileges anyway. */
function needOrdinaryUser(): User | undefined {
  if (userInfo().uid !== 0) return undefined;
  const line = readFileSync("/etc/passwd", "utf8").split("\n").find((text) => text.startsWith(`${ordinaryUserName}:`));
  const [, , uid, gid] = line?.split(":") ?? [];
  if (uid === undefined || gid === undefined) throw new Error(`there is no user ${ordinaryUserName}; scripts/test.sh makes it`);
  return { uid: Number(uid), gid: Number(gid) };
}

/** The package where any user can read it: the checkout may lie in a folder that is closed to others. */
function installFor(folder: string): { readonly node: string; readonly main: string } {
  const target = join(folder, "package");
  for (const name of ["package.json", "dist", "node_modules/koffi", "node_modules/@koromix", "node_modules/smol-toml"]) {
    cpSync(join(repo, name), join(target, name), { recursive: true, dereference: true });
  }
  const node = join(target, "node");
  cpSync(process.execPath, node);
  return { node, main: join(target, "dist/cli/main.js") };
}

function writeFiles(folder: string, files: Files): void {
  for (const [name, file] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    if (typeof file === "string") writeFileSync(path, file);
    else if ("link" in file) symlinkSync(file.link, path);
    else {
      writeFileSync(path, file.text);
      chmodSync(path, file.mode);
    }
  }
}

function chownTree(path: string, user: User): void {
  lchownSync(path, user.uid, user.gid);
  if (!lstatSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) chownTree(join(path, name), user);
}

/** Without root, snapshots belong to subordinate ids that only a user namespace of one's own may touch. */
function removeTree(folder: string): void {
  const isRoot = userInfo().uid === 0;
  const removal = ["-rf", "--", folder];
  if (isRoot) execFileSync("rm", removal);
  else execFileSync("unshare", ["--user", "--map-auto", "--map-root-user", "rm", ...removal]);
}
