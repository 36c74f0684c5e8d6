/** Compresses with programs that are none of ours; undefined where this machine has not got one. */
import { execFileSync } from "node:child_process";
import { hasProgram } from "./ways.ts";

export const compressors = ["gzip", "bzip2", "xz", "zstd"] as const;

export function compress(program: (typeof compressors)[number], bytes: Buffer): Buffer | undefined {
  if (!hasProgram(program)) return undefined;
  return execFileSync(program, ["-c"], { input: bytes, maxBuffer: 1 << 30 });
}
