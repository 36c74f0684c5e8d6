/** A folder with a store, contexts and a home of its own, and Varve in it. Gone at the end, and nothing of it lives on. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { start, type Result, type RunningCommand, type RunOptions } from "./command.ts";
import { compiledCode } from "./compiled-code.ts";
import { findLastingTraces } from "./processes.ts";
import { openTerminal, type Terminal, type TerminalOptions } from "./terminal.ts";
import { isRoot, ownWay, type Way } from "./ways.ts";

const repo = resolve(import.meta.dirname, "../..");

/** Contents by path. A path that ends in a slash is an empty folder. */
export type Files = Readonly<Record<string, string | Buffer>>;

export interface VarveOptions extends RunOptions {
  /** Another store than the sandbox's own, by its name in the sandbox. */
  readonly store?: string;
  /** The package as it is built and published, not the sources. */
  readonly built?: boolean;
}

export interface Sandbox {
  readonly folder: string;
  readonly way: Way;
  path(...names: readonly string[]): string;
  /** Writes files below a folder of the sandbox; what is there else stays. Returns the folder's path. */
  write(folder: string, files: Files): string;
  /** The words of a command, run by whom the sandbox belongs to. */
  as(words: readonly string[]): readonly string[];
  /** Runs the command line, from its sources unless told otherwise. */
  varve(args: readonly string[], options?: VarveOptions): Promise<Result>;
  start(args: readonly string[], options?: VarveOptions): RunningCommand;
  /** Runs the command line in a pseudo-terminal. */
  terminal(args: readonly string[], options?: Partial<Omit<TerminalOptions, "cwd">>): Terminal;
  /** As `varve`, but fails where the command fails. */
  succeed(args: readonly string[], options?: VarveOptions): Promise<Result>;
  /** Builds files written to a new context folder, with plain progress. */
  build(files: Files, args?: readonly string[], options?: VarveOptions): Promise<Result>;
  /** Fails when anything of the sandbox is still mounted or running. */
  checkLeaks(): Promise<void>;
  remove(): Promise<void>;
}

export function makeSandbox(way: Way = ownWay): Sandbox {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "varve-test-")));
  chmodSync(folder, 0o755);
  const path = (...names: readonly string[]) => join(folder, ...names);
  const give = (name: string) => way.person && chownTree(name, way.person.uid, way.person.gid);
  for (const name of ["home", "tmp"]) mkdirSync(path(name));
  const { VARVE_CONFIG: config, PATH = "", VARVE_RUNTIME: runtime } = process.env;
  writeFileSync(path("varve.toml"), config === undefined ? "" : readFileSync(config));
  give(folder);
  let contexts = 0;

  const write: Sandbox["write"] = (name, files) => {
    mkdirSync(path(name), { recursive: true });
    for (const [file, content] of Object.entries(files)) {
      const target = path(name, file);
      mkdirSync(file.endsWith("/") ? target : dirname(target), { recursive: true });
      if (!file.endsWith("/")) writeFileSync(target, content);
    }
    give(path(name));
    return path(name);
  };
  const as = (words: readonly string[]) => [...become(way, folder), ...words];
  const commandOf = (args: readonly string[], built: boolean) =>
    as([process.execPath, join(readableRepo(way, folder), built ? "dist/cli/main.js" : "src/cli/main.ts"), ...args]);
  const envOf = (store: string, built = false) => ({
    PATH,
    HOME: path("home"),
    TMPDIR: path("tmp"),
    VARVE_ROOT: path(store),
    VARVE_CONFIG: path("varve.toml"),
    // code that lies elsewhere for each sandbox is other code for Node
    ...(built || readableRepo(way, folder) !== repo ? { NODE_DISABLE_COMPILE_CACHE: "1" } : compiledCode()),
    ...(runtime === undefined ? {} : { VARVE_RUNTIME: runtime }),
  });
  const run: Sandbox["start"] = (args, { store = "store", built = false, env, cwd = folder, ...options } = {}) =>
    start(commandOf(args, built), { ...options, cwd, env: { ...envOf(store, built), ...env } });
  const varve: Sandbox["varve"] = async (args, options) => await run(args, options).result;
  const checkLeaks = async () => {
    assert.deepEqual(await findLastingTraces(folder), []);
    assert.deepEqual(readdirSync(path("tmp")), [], "temporary files were left");
  };
  const succeed: Sandbox["succeed"] = async (args, options) => {
    const result = await varve(args, options);
    assert.equal(result.code, 0, `varve ${args.join(" ")} ended with ${result.code ?? result.signal}:\n${result.stderr}`);
    return result;
  };
  return {
    folder,
    way,
    path,
    write,
    as,
    varve,
    start: run,
    terminal: (args, { env, rows, columns } = {}) =>
      openTerminal(commandOf(args, false), {
        cwd: folder,
        env: { ...envOf("store"), ...env },
        ...(rows === undefined ? {} : { rows }),
        ...(columns === undefined ? {} : { columns }),
      }),
    succeed,
    async build(files, args = [], options) {
      contexts += 1;
      const context = write(`context-${contexts}`, files);
      return await varve(["build", "--progress=plain", ...args, context], options);
    },
    checkLeaks,
    async remove() {
      try {
        await checkLeaks();
      } finally {
        removeTree(folder);
      }
    },
  };
}

/** The words before a command that make it run as the way's user. */
function become({ person }: Way, folder: string): readonly string[] {
  if (person === undefined) return [];
  const change = ["setpriv", `--reuid=${person.uid}`, `--regid=${person.gid}`, "--clear-groups"];
  if (canRead({ name: "as an ordinary user", person })) return change;
  // The checkout lies where only root may go (its home, say): shown elsewhere, in a mount namespace of this command alone.
  const script = 'mkdir -p "$2" && mount --bind "$1" "$2" && shift 2 && exec "$@"';
  return ["unshare", "--mount", "sh", "-c", script, "sh", repo, join(folder, "repo"), ...change];
}

let readable: boolean | undefined;

function canRead({ person }: Way): boolean {
  if (person === undefined) return true;
  const probe = [
    "--reuid",
    String(person.uid),
    "--regid",
    String(person.gid),
    "--clear-groups",
    "test",
    "-r",
    join(repo, "src/cli/main.ts"),
  ];
  readable ??= spawnSync("setpriv", probe).status === 0;
  return readable;
}

function readableRepo(way: Way, folder: string): string {
  return canRead(way) ? repo : join(folder, "repo");
}

function chownTree(path: string, uid: number, gid: number): void {
  const entry = lstatSync(path);
  if (!entry.isDirectory()) return lchownSync(path, uid, gid);
  // What a build made below (a store) has owners of its own.
  for (const name of readdirSync(path)) chownTree(join(path, name), uid, gid);
  chownSync(path, uid, gid);
}

/**
 * Removes a folder with stores in it, in which the sync after a build may leave its mark meanwhile. An ordinary user's snapshots hold
 * files of ids that only a user namespace may touch.
 */
export function removeTree(path: string): void {
  if (isRoot) return rmSync(path, { recursive: true, force: true, maxRetries: 10 });
  const script = 'for try in 1 2 3 4 5 6 7 8 9; do rm -rf "$1" 2>/dev/null && exit; sleep 0.1; done; exec rm -rf "$1"';
  execFileSync("unshare", ["--user", "--map-auto", "--map-root-user", "sh", "-c", script, "sh", path]);
}
