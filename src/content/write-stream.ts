import { createHash } from "node:crypto";
import { open, unlink, type FileHandle } from "node:fs/promises";
import { endOnAbort, limitBytes, verifyDigest, type ByteSource } from "../flow/index.ts";
import { digestOfHex, type Digest } from "../oci/index.ts";
import { storeError } from "./disk.ts";
import type { IngestOptions } from "./store.ts";

/** Network chunks are small; this many bytes go to the disk at once. */
const writeBytes = 512 * 1024;

/**
 * Writes a source to a new file, synced, and says what it is. On any failure the file is gone. The source has ended when this
 * settles, unless it hangs after an abort.
 */
export async function writeStream(
  path: string,
  source: ByteSource,
  options: IngestOptions,
): Promise<{ digest: Digest; size: number }> {
  const file = await open(path, "wx", 0o444).catch((error: unknown) => {
    throw storeError(error, "start a new blob");
  });
  try {
    const written = await pour(file, source, options);
    await file.sync();
    await file.close();
    return written;
  } catch (error) {
    // The first failure is the one to tell; a file that stays is swept later.
    await file.close().catch(() => undefined);
    await unlink(path).catch(() => undefined);
    throw storeError(error, "write a blob");
  }
}

async function pour(file: FileHandle, source: ByteSource, options: IngestOptions): Promise<{ digest: Digest; size: number }> {
  const { expected, maxBytes, signal, onProgress } = options;
  const hash = expected === undefined ? createHash("sha256") : undefined;
  let bytes = endOnAbort(signal)(source);
  if (maxBytes !== undefined) bytes = limitBytes(maxBytes)(bytes);
  if (expected !== undefined) bytes = verifyDigest(expected.digest, expected.size)(bytes);
  let size = 0;
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  const flush = async (): Promise<void> => {
    const whole = pending.length === 1 && pending[0] !== undefined ? pending[0] : Buffer.concat(pending);
    pending = [];
    pendingBytes = 0;
    for (let done = 0; done < whole.length;) done += (await file.write(whole, done)).bytesWritten;
    size += whole.length;
    onProgress?.(size);
  };
  for await (const chunk of bytes) {
    hash?.update(chunk);
    pending.push(chunk);
    pendingBytes += chunk.length;
    if (pendingBytes >= writeBytes) await flush();
  }
  if (pendingBytes > 0) await flush();
  return { digest: expected?.digest ?? digestOfHex(hash?.digest("hex") ?? ""), size };
}
