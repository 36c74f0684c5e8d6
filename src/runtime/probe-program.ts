import type { ProgramFormat } from "./emulators.ts";

/** Machine code that asks the kernel for exit(0) and nothing else, with what it needs in the ELF header. */
interface Code extends ProgramFormat {
  readonly bytes: string;
  /** e_flags: the ABI. */
  readonly flags: number;
}

const codes: Readonly<Record<string, Code>> = {
  amd64: { bits: 64, order: "little", machine: 62, flags: 0, bytes: "b83c00000031ff0f05" },
  "386": { bits: 32, order: "little", machine: 3, flags: 0, bytes: "b80100000031dbcd80" },
  arm64: { bits: 64, order: "little", machine: 183, flags: 0, bytes: "a80b80d2000080d2010000d4" },
  arm: { bits: 32, order: "little", machine: 40, flags: 0x05000200, bytes: "0170a0e30000a0e3000000ef" },
  riscv64: { bits: 64, order: "little", machine: 243, flags: 0, bytes: "9308d0051305000073000000" },
  ppc64le: { bits: 64, order: "little", machine: 21, flags: 2, bytes: "010000380000603802000044" },
  s390x: { bits: 64, order: "big", machine: 22, flags: 0, bytes: "a72900000a01" },
};

const loadAddress = 0x400000;

/**
 * The smallest program of an architecture: it ends at once with the exit code 0. Whether it can be run says whether this
 * machine runs programs of the architecture, in whatever way. Undefined for architectures whose code is not known here.
 */
export function probeProgram(architecture: string): Buffer | undefined {
  const code = Object.hasOwn(codes, architecture) ? codes[architecture] : undefined;
  if (code === undefined) return undefined;
  const { bits, order, machine, flags } = code;
  const body = Buffer.from(code.bytes, "hex");
  const [headerSize, entrySize] = bits === 64 ? [64, 56] : [52, 32];
  const size = headerSize + entrySize + body.length;
  const fields: Field[] = [];
  const add = (...added: readonly Field[]): void => void fields.push(...added);
  const word = bits === 64 ? 8 : 4;
  add([2, 2], [2, machine], [4, 1], [word, loadAddress + headerSize + entrySize], [word, headerSize], [word, 0], [4, flags]);
  add([2, headerSize], [2, entrySize], [2, 1], [2, 0], [2, 0], [2, 0]);
  const segment = { offset: 0, address: loadAddress, size, flags: 5, align: 0x10000 };
  add([4, 1], ...(bits === 64 ? [[4, segment.flags] as const] : []));
  add([word, segment.offset], [word, segment.address], [word, segment.address], [word, segment.size], [word, segment.size]);
  add(...(bits === 32 ? [[4, segment.flags] as const] : []), [word, segment.align]);
  const ident = Buffer.from([
    0x7f,
    0x45,
    0x4c,
    0x46,
    bits === 64 ? 2 : 1,
    order === "little" ? 1 : 2,
    1,
    ...Array<number>(9).fill(0),
  ]);
  return Buffer.concat([ident, ...fields.map((field) => encode(field, order)), body]);
}

/** Bytes, and the number in them. */
type Field = readonly [size: number, value: number];

function encode([size, value]: Field, order: ProgramFormat["order"]): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntLE(value, 0, Math.min(size, 6));
  return order === "little" ? bytes : bytes.reverse();
}
