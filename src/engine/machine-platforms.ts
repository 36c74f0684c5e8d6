import { accessSync, constants, readFileSync } from "node:fs";
import { join } from "node:path";
import { formatPlatform } from "../oci/index.ts";
import { nativePlatform } from "./build-platforms.ts";

/** QEMU's names of the architectures that images have, in the order in which BuildKit lists them. */
const emulated: readonly (readonly [qemu: string, platforms: readonly string[]])[] = [
  ["aarch64", ["linux/arm64"]],
  ["riscv64", ["linux/riscv64"]],
  ["ppc64le", ["linux/ppc64le"]],
  ["s390x", ["linux/s390x"]],
  ["i386", ["linux/386"]],
  ["loongarch64", ["linux/loong64"]],
  ["arm", ["linux/arm/v7", "linux/arm/v6"]],
];

/** Features that make up the levels of x86-64, as /proc/cpuinfo names them. (x86-64 psABI, "Micro-Architecture Levels") */
const levels: readonly (readonly [variant: string, flags: readonly string[]])[] = [
  ["v2", ["cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"]],
  ["v3", ["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"]],
  ["v4", ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]],
];

/** What this machine builds for: its own platform first, then those whose programs it runs by emulation (W15). */
export function machinePlatforms(path: string): readonly string[] {
  const native = formatPlatform(nativePlatform());
  const platforms = [native];
  if (native === "linux/amd64") {
    const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "latin1"))?.[1]?.split(" ") ?? []);
    for (const [variant, needed] of levels) {
      if (!needed.every((flag) => flags.has(flag))) break;
      platforms.push(`${native}/${variant}`);
    }
    platforms.push("linux/386");
  }
  for (const [qemu, names] of emulated) if (canEmulate(qemu, path)) platforms.push(...names);
  return [...new Set(platforms)];
}

function canEmulate(qemu: string, path: string): boolean {
  const programs = path.split(":").flatMap((folder) => [join(folder, `qemu-${qemu}-static`), join(folder, `qemu-${qemu}`)]);
  return isRegistered(qemu) || programs.some((program) => can(() => accessSync(program, constants.X_OK)));
}

function isRegistered(qemu: string): boolean {
  let isEnabled = false;
  can(() => (isEnabled = readFileSync(`/proc/sys/fs/binfmt_misc/qemu-${qemu}`, "latin1").startsWith("enabled")));
  return isEnabled;
}

/** Whether a look at a file succeeds; one that is not there or not ours is none. */
function can(look: () => unknown): boolean {
  try {
    look();
    return true;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}
