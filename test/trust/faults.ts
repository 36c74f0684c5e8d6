/**
 * Loaded into a Varve process before its own code (`node --import`): ends the process just before the Nth thing that it would
 * change on the disk, as a SIGKILL at that instant would. Nothing of Varve knows of it.
 *
 * VARVE_FAULT: `main:12` or `worker:3`, the process and the number; `main:0` only counts. VARVE_FAULT_LOG: a file that gets a line
 * for each.
 */
import childProcess from "node:child_process";
import fs from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";

const [target = "", at = "0"] = (process.env["VARVE_FAULT"] ?? "").split(":");
const log = process.env["VARVE_FAULT_LOG"] ?? "/dev/null";
const isWorker = process.argv[1]?.includes("worker-entry") === true;
const logged = fs.openSync(log, "a");
const { writeSync } = fs;
let count = 0;

/** Something is about to be changed. */
function barrier(what: string): void {
  if (target !== (isWorker ? "worker" : "main")) return;
  count += 1;
  writeSync(logged, `${count} ${what}\n`);
  if (count !== Number(at)) return;
  // the first process of a pid namespace cannot kill itself; this runs no code either
  if (isWorker) (process as unknown as { reallyExit(code: number): never }).reallyExit(137);
  process.kill(process.pid, "SIGKILL");
}

type Functions = Record<string, (this: unknown, ...args: unknown[]) => unknown>;

function guard(holder: object, names: readonly string[], changes: (args: readonly unknown[]) => boolean = () => true): void {
  const functions = holder as Functions;
  for (const name of names) {
    const original = functions[name];
    if (original === undefined) continue;
    functions[name] = function (...args) {
      if (changes(args)) barrier(`${name} ${args.filter((arg) => typeof arg === "string").join(" ")}`);
      return Reflect.apply(original, this, args);
    };
  }
}

const forWriting = (flags: unknown): boolean =>
  typeof flags === "number" ? (flags & (fs.constants.O_CREAT | fs.constants.O_TRUNC)) !== 0 : /[wa]/.test(String(flags));
const changing = ["rename", "unlink", "rm", "rmdir", "mkdir", "link", "symlink", "truncate", "chmod", "lchown", "utimes"];
guard(fs, [...changing.map((name) => `${name}Sync`), "ftruncateSync", "fsyncSync"]);
guard(fs, ["writeFileSync", "appendFileSync", "copyFileSync"]);
guard(fs, ["openSync"], ([, flags]) => forWriting(flags));
guard(fs, ["writeSync"], ([file]) => typeof file === "number" && file > 2);
guard(fs.promises, [...changing, "writeFile", "appendFile", "copyFile"]);
guard(fs.promises, ["open"], ([, flags]) => forWriting(flags));
const handle = await fs.promises.open("/dev/null");
guard(Object.getPrototypeOf(handle) as object, ["write", "writeFile", "sync", "truncate"]);
await handle.close();

const { spawn } = childProcess;
(childProcess as unknown as Functions)["spawn"] = function (program, args, options) {
  const words = args as string[];
  barrier(`spawn ${String(program)} ${words[0] ?? ""}`);
  if (!words.some((word) => word.includes("worker-entry"))) return Reflect.apply(spawn, this, [program, args, options]);
  const given = options as { env: Record<string, string> };
  const { NODE_OPTIONS = "", VARVE_FAULT = "", VARVE_FAULT_LOG = "" } = process.env;
  const env = { ...given.env, NODE_OPTIONS, VARVE_FAULT, VARVE_FAULT_LOG };
  return Reflect.apply(spawn, this, [program, args, { ...given, env }]);
};

const require = createRequire(import.meta.url);
if (isWorker) {
  const koffi = require("koffi") as { load: (...args: unknown[]) => { func: (...args: unknown[]) => unknown } };
  const { load } = koffi;
  koffi.load = (...args) => {
    const library = load(...args);
    const bind = library.func.bind(library);
    const changes = ["mount", "umount2", "lsetxattr", "utimensat", "openat", "write", "fchown"];
    return {
      func(...signature: unknown[]) {
        const [name = ""] = signature as string[];
        const bound = bind(...signature) as (...values: unknown[]) => unknown;
        if (!changes.includes(name)) return bound;
        return Object.assign((...values: unknown[]) => {
          if (name !== "openat" || forWriting(values[2])) barrier(`${name}(2)`);
          return bound(...values);
        }, bound);
      },
    } as ReturnType<typeof load>;
  };
} else {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  const { DatabaseSync, StatementSync } = require("node:sqlite") as typeof import("node:sqlite");
  process.emitWarning = emitWarning;
  let within = false;
  const database = DatabaseSync.prototype as unknown as Functions;
  const { exec } = database;
  if (exec === undefined) throw new TypeError("this Node.js has another node:sqlite");
  database["exec"] = function (...args) {
    const sql = String(args[0]).trim();
    if (!/^(?:BEGIN|ROLLBACK)/.test(sql)) barrier(`sql ${sql.slice(0, 40)}`);
    Reflect.apply(exec, this, args);
    within = sql.startsWith("BEGIN");
  };
  guard(StatementSync.prototype, ["run"], () => !within);
}
syncBuiltinESMExports();
