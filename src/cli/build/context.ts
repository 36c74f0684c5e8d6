import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { VarveError } from "../../errors/index.ts";
import type { BuildOptions, ContextInput } from "../../engine/index.ts";
import type { Io } from "../io.ts";

/** A Dockerfile from stdin is held in memory; a longer one is no Dockerfile. */
const maxDockerfileBytes = 16 * 1024 * 1024;
/** Enough to tell an archive from a text: two tar blocks, as buildx looks at. */
const peekBytes = 1024;

export interface BuildInput {
  readonly context: ContextInput;
  readonly dockerfile?: NonNullable<BuildOptions["dockerfile"]>;
}

/**
 * What `varve build [-f FILE] PATH | -` reads (X01, X02): a folder with its Dockerfile; a tar from stdin; or a Dockerfile
 * from stdin, with an empty context or with `-f -` and a folder. Paths of Dockerfiles start from the working folder,
 * within a tar from its root.
 */
export async function readBuildInput(place: string, file: string | undefined, io: Pick<Io, "cwd" | "stdin">): Promise<BuildInput> {
  if (file !== undefined && /^https?:\/\//.test(file)) throw new VarveError("NOT_SUPPORTED_YET", "a Dockerfile from a URL is not supported yet");
  if (place === "-") {
    if (file === "-") throw new VarveError("USAGE", "invalid argument: can't use stdin for both build context and dockerfile");
    return await readStdin(file, io);
  }
  const path = resolve(io.cwd, place);
  if (place === "" || !(await isFolder(path))) throw noContext(place);
  const context = { kind: "folder", path } as const;
  if (file === undefined) return { context };
  if (file === "-") return { context, dockerfile: { text: await readText(io.stdin.chunks()), name: "Dockerfile" } };
  return { context, dockerfile: { path: resolve(io.cwd, file) } };
}

function noContext(place: string): VarveError {
  if (/^(https?|git|ssh):\/\/|^git@|^github\.com\//.test(place)) {
    return new VarveError("NOT_SUPPORTED_YET", `a build context from ${place.startsWith("http") && !place.includes(".git") ? "a URL" : "git"} is not supported yet`, {
      hint: "get it first, and give its folder",
    });
  }
  return new VarveError("CONTEXT_NOT_FOUND", `unable to prepare context: path "${place}" not found`);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw new VarveError("FILE_UNREADABLE", `cannot read the build context ${path}`, { cause });
  }
}

async function readStdin(file: string | undefined, io: Pick<Io, "stdin">): Promise<BuildInput> {
  const { start, stream } = await peek(io.stdin.chunks());
  switch (detectArchive(start)) {
    case undefined:
      if (file !== undefined) throw new VarveError("USAGE", "ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles");
      return { context: { kind: "empty" }, dockerfile: { text: await readText(stream), name: "Dockerfile" } };
    default:
      return { context: { kind: "tar", stream }, ...(file === undefined ? {} : { dockerfile: { path: file } }) };
  }
}

/** The beginning of a stream, and a stream that still has it. */
async function peek(chunks: AsyncIterable<Uint8Array>): Promise<{ readonly start: Uint8Array; readonly stream: AsyncIterable<Uint8Array> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let length = 0;
  while (length < peekBytes) {
    const next = await iterator.next();
    if (next.done === true) break;
    held.push(next.value);
    length += next.value.length;
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    try {
      yield* held;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { start: Buffer.concat(held).subarray(0, peekBytes), stream: whole() };
}

/** What kind of archive begins with these bytes; undefined for none. A tar has no magic number: its first header's checksum tells. */
export function detectArchive(start: Uint8Array): "tar" | "gzip" | "zstd" | "bzip2" | "xz" | undefined {
  const begins = (...magic: number[]): boolean => magic.every((byte, index) => start[index] === byte);
  if (begins(0x1f, 0x8b, 0x08)) return "gzip";
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return "zstd";
  if (begins(0x42, 0x5a, 0x68)) return "bzip2";
  if (begins(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return "xz";
  return hasTarHeader(start) ? "tar" : undefined;
}

const tarBlock = 512;
const checksumStart = 148;
const checksumEnd = 156;

/** POSIX.1-2024, pax, "ustar Interchange Format": the sum of the header's bytes, its own field counted as blanks. Two zero blocks are an empty archive. */
function hasTarHeader(start: Uint8Array): boolean {
  if (start.length < tarBlock) return false;
  if (start.length >= 2 * tarBlock && start.subarray(0, 2 * tarBlock).every((byte) => byte === 0)) return true;
  const field = Buffer.from(start.subarray(checksumStart, checksumEnd)).toString("latin1");
  const sum = /^[ ]*([0-7]+)[ \0]*$/.exec(field)?.[1];
  if (sum === undefined) return false;
  let total = 0;
  for (let index = 0; index < tarBlock; index++) total += index >= checksumStart && index < checksumEnd ? 0x20 : (start[index] ?? 0);
  return total === Number.parseInt(sum, 8);
}

async function readText(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > maxDockerfileBytes) throw new VarveError("USAGE", `the Dockerfile from stdin is larger than ${maxDockerfileBytes} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}
