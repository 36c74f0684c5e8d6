import { once } from "node:events";
import { closeSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { watchFile } from "./file-hash.ts";
import type { Tree, TreeEntry } from "./tree.ts";

/** Smaller files are not worth the way to a thread, nor is less than this in all worth its start. Bytes. */
const largeFileBytes = 8 * 1024 * 1024;
const worthBytes = 64 * 1024 * 1024;

/** What was touched so lately is read again anyway, as it is not remembered (`folder-memory.ts`). Milliseconds. */
const youngMs = 3_000;

/**
 * Hashes the large files that are at a path, or in the folder there, on threads, so that {@link Tree.contentOf} knows them. Whatever
 * cannot be read is left for it to tell. TREE_CHANGED when a file does not stay as it is.
 */
export async function hashAhead(tree: Tree, path: string, { signal }: { readonly signal: AbortSignal }): Promise<void> {
  const entry = tree.entry(tree.resolve(path, { followLast: true }));
  if (entry === undefined) return;
  const files = (entry.type === "directory" ? tree.children(entry.path) : [entry]).filter(isWorthIt);
  if (files.reduce((sum, { size }) => sum + size, 0) < worthBytes) return;
  const queue = files.toSorted((a, b) => b.size - a.size);
  const { Worker } = await import("node:worker_threads");
  const lanes = Array.from({ length: Math.min(4, availableParallelism(), queue.length) }, async () => {
    const thread = new Worker(hasher, { eval: true, execArgv: [] });
    try {
      for (let file = queue.shift(); file !== undefined; file = queue.shift()) await hashOn(thread, tree, file, signal);
    } finally {
      await thread.terminate();
    }
  });
  const ends = await Promise.allSettled(lanes);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

function isWorthIt({ type, size, mtimeNs, ctimeNs }: TreeEntry): boolean {
  const since = BigInt(Date.now() - youngMs) * 1_000_000n;
  return type === "file" && size >= largeFileBytes && mtimeNs < since && ctimeNs < since;
}

async function hashOn(thread: Worker, tree: Tree, file: TreeEntry, signal: AbortSignal): Promise<void> {
  const fd = tree.openFile(file);
  try {
    const unchanged = watchFile(fd, file.path);
    thread.postMessage(fd);
    const [digest] = (await once(thread, "message", { signal })) as [string];
    unchanged();
    if (digest !== "") tree.learnData(file, digest);
  } catch (error) {
    await thread.terminate(); // before its file is closed
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Takes file descriptors, which are the process's, and answers with SHA-256s in hex, "" for what cannot be read. */
const hasher = `
const { parentPort } = require("node:worker_threads");
const { createHash } = require("node:crypto");
const { readSync } = require("node:fs");
const chunk = Buffer.allocUnsafeSlow(1 << 20);
const hashOf = (fd) => {
  const hash = createHash("sha256");
  for (let at = 0; ; ) {
    const size = readSync(fd, chunk, 0, chunk.length, at);
    if (size === 0) return hash.digest("hex");
    hash.update(chunk.subarray(0, size));
    at += size;
  }
};
parentPort.on("message", (fd) => {
  let digest;
  try {
    digest = hashOf(fd);
  } catch {
    digest = "";
  }
  parentPort.postMessage(digest);
});
`;
