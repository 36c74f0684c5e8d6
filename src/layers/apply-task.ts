import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { VarveError } from "../errors/index.ts";
import { countBytes, verifyDigest, type ByteSource } from "../flow/index.ts";
import type { TaskContext } from "../worker/index.ts";
import { applyLayer } from "./apply-layer.ts";
import { decompress } from "./decompress.ts";
import { unpackArchive } from "./unpack-archive.ts";
import type { ApplyParams, ApplyProgress, UnpackContextParams } from "./tasks.ts";

/** How many bytes of a blob lie between two reports of progress. */
const reportEveryBytes = 4 * 1024 * 1024;

/** Unpacks a blob as a snapshot. Both digests are checked: of the blob as stored, and of the tar in it. A failure leaves no folder. */
export async function runApplyTask(params: ApplyParams, context: TaskContext<ApplyProgress>): Promise<{ bytes: number }> {
  try {
    return await apply(params, context);
  } catch (error) {
    rmSync(params.snapshot, { recursive: true, force: true, maxRetries: 2 });
    throw error;
  }
}

async function apply(
  params: ApplyParams,
  { userNamespace, signal, emit }: TaskContext<ApplyProgress>,
): Promise<{ bytes: number }> {
  const target = join(params.snapshot, "fs");
  mkdirSync(target, { recursive: true, mode: 0o755 });
  let reported = 0;
  const count = countBytes((_, total) => {
    if (total - reported < reportEveryBytes) return;
    reported = total;
    emit({ current: total });
  });
  const blob = verifyDigest(params.digest)(count(createReadStream(params.blob, { highWaterMark: 1 << 20 }) as ByteSource));
  const { content } = await decompress(blob, { signal });
  const tar = createHash("sha256");
  let bytes = 0;
  await applyLayer({
    source: hashed(content, (chunk) => {
      tar.update(chunk);
      bytes += chunk.length;
    }),
    target,
    lowers: params.lowers,
    userXattr: userNamespace,
    signal,
  });
  const diffId = `sha256:${tar.digest("hex")}`;
  if (diffId !== params.diffId) {
    throw new VarveError("LAYER_DIFF_ID", `the layer ${params.digest} unpacks to ${diffId}, but its image says ${params.diffId}`);
  }
  return { bytes };
}

/** Unpacks the tar of a build context into a folder. Its owners count for nothing: what reads a context resets them. */
export async function runUnpackContextTask(
  { tar, target }: UnpackContextParams,
  { userNamespace, signal }: TaskContext<never>,
): Promise<void> {
  const outcome = await unpackArchive({
    source: createReadStream(tar, { highWaterMark: 1 << 20 }),
    target: () => target,
    userNamespace,
    signal,
  });
  if (outcome === "no archive") throw new VarveError("CONTEXT_ARCHIVE", "the build context is no tar archive");
}

async function* hashed(source: ByteSource, update: (chunk: Uint8Array) => void): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    update(chunk);
    yield chunk;
  }
}
