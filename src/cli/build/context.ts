import { statSync } from "node:fs";
import { resolve } from "node:path";
import { VarveError } from "../../errors/index.ts";
import type { BuildOptions, ContextInput } from "../../engine/index.ts";
import { archiveStartBytes, detectArchive } from "../../tar/index.ts";
import type { Io } from "../io.ts";

/** A Dockerfile from stdin is held in memory; a longer one is no Dockerfile. */
const maxDockerfileBytes = 16 * 1024 * 1024;

export interface BuildInput {
  readonly context: ContextInput;
  readonly dockerfile?: NonNullable<BuildOptions["dockerfile"]>;
}

/**
 * What `varve build [-f FILE] PATH | URL | -` reads (X01 to X04): a folder with its Dockerfile; a repository, or what is
 * behind a URL; a tar from stdin; or a Dockerfile from stdin, with an empty context or with `-f -` and a context. Paths of
 * Dockerfiles start from the working folder, within a tar or a remote context from its root.
 */
export async function readBuildInput(
  place: string,
  file: string | undefined,
  io: Pick<Io, "cwd" | "stdin">,
): Promise<BuildInput> {
  if (place === "-") {
    if (file === "-") throw new VarveError("USAGE", "invalid argument: can't use stdin for both build context and dockerfile");
    return await readStdin(file, io);
  }
  const context = await findContext(place, io);
  if (file === undefined) return { context };
  if (file === "-") return { context, dockerfile: { text: await readText(io.stdin.chunks()), name: "Dockerfile" } };
  if (isUrl(file)) return { context, dockerfile: { url: file } };
  return { context, dockerfile: { path: context.kind === "folder" ? resolve(io.cwd, file) : file } };
}

/** A folder of that name comes before a repository of that name, as in buildx. */
async function findContext(place: string, { cwd }: Pick<Io, "cwd">): Promise<Exclude<ContextInput, { kind: "tar" }>> {
  const path = resolve(cwd, place);
  if (place !== "" && isFolder(path)) return { kind: "folder", path };
  const { parseGitReference } = await import("../../dockerfile/index.ts");
  if (isUrl(place) || parseGitReference(place) !== undefined) return { kind: "remote", url: place };
  throw new VarveError("CONTEXT_NOT_FOUND", `unable to prepare context: path "${place}" not found`);
}

function isUrl(text: string): boolean {
  return /^https?:\/\//.test(text);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw new VarveError("FILE_UNREADABLE", `cannot read the build context ${path}`, { cause });
  }
}

async function readStdin(file: string | undefined, io: Pick<Io, "stdin">): Promise<BuildInput> {
  const { start, stream } = await peek(io.stdin.chunks());
  if (detectArchive(start) === undefined) {
    if (file !== undefined)
      throw new VarveError("USAGE", "ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles");
    return { context: { kind: "empty" }, dockerfile: { text: await readText(stream), name: "Dockerfile" } };
  }
  return {
    context: { kind: "tar", stream },
    ...(file === undefined ? {} : { dockerfile: isUrl(file) ? { url: file } : { path: file } }),
  };
}

/** The beginning of a stream, and a stream that still has it. */
async function peek(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ readonly start: Uint8Array; readonly stream: AsyncIterable<Uint8Array> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let length = 0;
  while (length < archiveStartBytes) {
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
  return { start: Buffer.concat(held).subarray(0, archiveStartBytes), stream: whole() };
}

async function readText(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > maxDockerfileBytes)
      throw new VarveError("USAGE", `the Dockerfile from stdin is larger than ${maxDockerfileBytes} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}
