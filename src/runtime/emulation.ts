import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { arch } from "node:os";
import { join } from "node:path";
import { VarveError } from "../errors/index.ts";
import { findEmulator, registrationOf } from "./emulators.ts";
import { spawnWithFormat, type StartOptions } from "./own-binfmt.ts";
import { probeProgram } from "./probe-program.ts";

/** How the programs of a step are run that are not made for this machine. */
export interface Emulation {
  /** For binfmt_misc of a user namespace of the step's own; undefined: the kernel runs them as it is. */
  readonly registration: string | undefined;
}

export interface EmulationOptions {
  /** Where to look for QEMU: a PATH. */
  readonly path: string;
  /** A folder of the worker in memory. */
  readonly folder: string;
}

/** Finds out, by trying, how this machine runs programs of an architecture. Asked once for each in the worker's life. */
export function createEmulations(): (architecture: string, options: EmulationOptions) => Promise<Emulation> {
  const known = new Map<string, Promise<Emulation>>();
  return (architecture, options) => {
    const found = known.get(architecture) ?? find(architecture, options);
    known.set(architecture, found);
    return found;
  };
}

/** What node calls the architectures that it runs on and that image platforms call otherwise. */
const nodeNames: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le" };

async function find(architecture: string, options: EmulationOptions): Promise<Emulation> {
  const native = nodeNames[arch()] ?? arch();
  if (architecture === native) return { registration: undefined };
  const probe = probeProgram(architecture);
  // the host's own table, with the flag F, serves every root
  if (probe !== undefined && (await runs(probe, undefined, options)).isRun) return { registration: undefined };
  const emulator = findEmulator(architecture, options);
  if (emulator === undefined) throw unavailable(architecture, `there is no QEMU for it on the PATH`);
  const registration = registrationOf(emulator);
  const trial = probe === undefined ? { isRun: true, problem: "" } : await runs(probe, registration, options);
  if (trial.isRun) return { registration };
  throw unavailable(
    architecture,
    `the kernel does not let ${emulator.path} be used in a namespace (Linux 6.7 or later does)`,
    trial.problem,
  );
}

function unavailable(architecture: string, why: string, problem = ""): VarveError {
  return new VarveError("EMULATION_UNAVAILABLE", `this machine cannot run programs for ${architecture}: ${why}`, {
    hint: "apt-get install qemu-user-static (with binfmt-support before Linux 6.7); or compile across with FROM --platform=$BUILDPLATFORM",
    details: { architecture },
    ...(problem === "" ? {} : { cause: new Error(problem) }),
  });
}

/** Runs a program in a root where nothing else is. */
async function runs(
  program: Buffer,
  registration: string | undefined,
  { folder }: EmulationOptions,
): Promise<{ readonly isRun: boolean; readonly problem: string }> {
  const place = mkdtempSync(join(folder, "probe-"));
  const root = join(place, "root");
  try {
    mkdirSync(root);
    writeFileSync(join(root, "probe"), program, { mode: 0o755 });
    const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };
    const start: StartOptions = { folder: place, cwd: "/", env, stdio: ["ignore", "ignore", "pipe"] };
    const command = ["chroot", root, "/probe"];
    const child =
      registration === undefined ? spawn("chroot", command.slice(1), start) : spawnWithFormat(command, registration, start);
    return await outcomeOf(child);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function outcomeOf(child: ChildProcess): Promise<{ readonly isRun: boolean; readonly problem: string }> {
  const errors: Buffer[] = [];
  child.stderr?.on("data", (chunk: Buffer) => errors.length < 20 && errors.push(chunk));
  const code = await new Promise<number | null>((resolve) => {
    child.once("error", () => resolve(null));
    child.once("close", (exitCode) => resolve(exitCode));
  });
  return { isRun: code === 0, problem: Buffer.concat(errors).toString("utf8").trim() };
}
