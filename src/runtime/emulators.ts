import { accessSync, closeSync, constants, openSync, readSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** How programs of an architecture look: the fields of an ELF header that tell them apart (elf(5)). */
export interface ProgramFormat {
  readonly bits: 32 | 64;
  readonly order: "little" | "big";
  /** e_machine */
  readonly machine: number;
}

interface KnownArchitecture extends ProgramFormat {
  /** As QEMU calls it. */
  readonly qemu: string;
}

/** Architectures that QEMU runs the programs of, by the names of image platforms. */
const architectures: Readonly<Record<string, KnownArchitecture>> = {
  amd64: { qemu: "x86_64", bits: 64, order: "little", machine: 62 },
  "386": { qemu: "i386", bits: 32, order: "little", machine: 3 },
  arm64: { qemu: "aarch64", bits: 64, order: "little", machine: 183 },
  arm: { qemu: "arm", bits: 32, order: "little", machine: 40 },
  riscv64: { qemu: "riscv64", bits: 64, order: "little", machine: 243 },
  ppc64le: { qemu: "ppc64le", bits: 64, order: "little", machine: 21 },
  s390x: { qemu: "s390x", bits: 64, order: "big", machine: 22 },
  loong64: { qemu: "loongarch64", bits: 64, order: "little", machine: 258 },
  mips64le: { qemu: "mips64el", bits: 64, order: "little", machine: 8 },
  mips64: { qemu: "mips64", bits: 64, order: "big", machine: 8 },
};

/** The names of {@link architectures}: those that may be emulated. */
export const emulatedArchitectures: readonly string[] = Object.keys(architectures);

/** A program of QEMU's user mode that runs the programs of another architecture. */
export interface Emulator extends ProgramFormat {
  /** Absolute. */
  readonly path: string;
}

/**
 * Looks for QEMU's user mode for an architecture, as Debian, Fedora and BuildKit name it. Only a program without a dynamic
 * loader will do: in a step's root there are no libraries of this machine.
 */
export function findEmulator(architecture: string, { path }: { readonly path: string }): Emulator | undefined {
  const known = Object.hasOwn(architectures, architecture) ? architectures[architecture] : undefined;
  if (known === undefined) return undefined;
  const { qemu, ...format } = known;
  const folders = [...path.split(delimiter).filter((folder) => isAbsolute(folder)), "/usr/local/bin", "/usr/bin"];
  for (const name of [`qemu-${qemu}-static`, `qemu-${qemu}`]) {
    for (const folder of new Set(folders)) {
      const program = join(folder, name);
      if (isStaticProgram(program)) return { ...format, path: program };
    }
  }
  return undefined;
}

/** What `register` of binfmt_misc takes (Linux, admin-guide/binfmt-misc.rst): magic and mask as Debian's packages have them. */
export function registrationOf({ bits, order, machine, path }: Emulator): string {
  const [elfClass, data] = [bits === 64 ? 2 : 1, order === "little" ? 1 : 2];
  const halfword = (value: number): number[] => (order === "little" ? [value & 0xff, value >> 8] : [value >> 8, value & 0xff]);
  const magic = [0x7f, 0x45, 0x4c, 0x46, elfClass, data, 1, 0, ...Array<number>(8).fill(0), ...halfword(2), ...halfword(machine)];
  // any system's ABI but for its version; executables and shared ones, which are 2 and 3
  const kinds = order === "little" ? [0xfe, 0xff] : [0xff, 0xfe];
  const mask = [...Array<number>(7).fill(0xff), 0, ...Array<number>(8).fill(0xff), ...kinds, 0xff, 0xff];
  const escape = (bytes: readonly number[]): string => bytes.map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
  // F: opened now, so that it is found in any root; C, O: with the program's own rights; P: argv[0] stays what it was
  return `:varve-emulator:M::${escape(magic)}:${escape(mask)}:${path}:POCF`;
}

/** An ELF program that may be run and names no interpreter (PT_INTERP). */
function isStaticProgram(path: string): boolean {
  let head: Buffer;
  try {
    accessSync(path, constants.X_OK);
    head = readHead(path);
  } catch {
    return false; // not there, or not for us: the search goes on
  }
  if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2 || head[5] !== 1) return false;
  const [start, size, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)];
  for (let index = 0; index < count; index += 1) {
    const at = start + index * size;
    if (at + 4 > head.length || head.readUInt32LE(at) === 3) return false;
  }
  return true;
}

function readHead(path: string): Buffer {
  const fd = openSync(path, "r");
  try {
    const head = Buffer.alloc(4096);
    return head.subarray(0, readSync(fd, head));
  } finally {
    closeSync(fd);
  }
}
