import { closeSync, constants, mkdirSync, openSync, readSync, renameSync, statSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import { VarveError } from "../errors/index.ts";
import { collectBytes, endOnAbort, throwIfAborted, verifyDigest, type ByteSource } from "../flow/index.ts";
import { digestAlgorithm, digestHex, digestOfHex, sha256, type Digest } from "../oci/index.ts";
import { errnoOf, storeError, syncFolder } from "./disk.ts";
import { newIngestPath, sweepIngestFolder } from "./ingest-folder.ts";
import { writeStream } from "./write-stream.ts";

export interface StoredBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

export interface IngestOptions {
  /** What the source promises to be: the content is verified against it while it is written. */
  readonly expected?: StoredBlob;
  /** More than this is `CONTENT_TOO_LARGE`. No limit by default, for layers; `expected` is one by itself. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  /** Told how many bytes have been written so far. */
  readonly onProgress?: (totalBytes: number) => void;
}

/**
 * Blobs under `root/blobs/sha256/<hex>`, files being written under `root/ingest`. Digests of other algorithms are
 * `CONTENT_ALGORITHM`.
 */
export interface ContentStore {
  readonly root: string;
  has(digest: Digest): Promise<boolean>;
  stat(digest: Digest): Promise<{ readonly size: number } | undefined>;
  /** Where the blob is or would be: for a worker process that reads it. Its content is then that reader's to verify. */
  pathOf(digest: Digest): string;
  /** The whole blob, verified. Missing is `CONTENT_NOT_FOUND`, more than `maxBytes` is `CONTENT_TOO_LARGE`. */
  readAll(digest: Digest, options: { maxBytes: number; signal?: AbortSignal }): Promise<Uint8Array>;
  /** The blob in chunks. The last step throws `CONTENT_DIGEST_MISMATCH` if the file is damaged: keep nothing before the end. */
  open(digest: Digest, options?: { signal?: AbortSignal }): ByteSource;
  writeBytes(bytes: Uint8Array, options?: { signal?: AbortSignal }): Promise<StoredBlob>;
  /** Reads a source to its end into the store. With `expected` of a blob that is there, the source is not touched. */
  ingest(source: ByteSource, options?: IngestOptions): Promise<StoredBlob>;
  /** A fresh path in `root/ingest`, not yet a file, for {@link ContentStore.commitFile}. */
  ingestPath(): string;
  /** Takes a finished file at an {@link ContentStore.ingestPath} as the blob `digest`. Whoever wrote it has hashed it. */
  commitFile(path: string, digest: Digest): Promise<StoredBlob>;
  /** True when the blob was there. */
  delete(digest: Digest): Promise<boolean>;
  /**
   * Takes blobs out of the store at once, by renames into `root/trash`: short enough for the transaction that looked at all
   * claims. What is in the trash is nobody's.
   */
  throwAway(digests: readonly Digest[]): void;
  /** Deletes what is in the trash. */
  emptyTrash(): Promise<void>;
  /** Every blob, in no order. */
  list(): Promise<Digest[]>;
  /** Removes files in `root/ingest` whose writer is dead or that nobody wrote to for a day; returns how many. */
  sweepIngest(): Promise<number>;
}

const readChunkBytes = 256 * 1024;
const documentChunkBytes = 16 * 1024;

export interface ContentOptions {
  /** Told of each blob before it is looked for or put in its place: who removes blobs leaves those alone. */
  readonly claim?: (digest: Digest) => void;
}

/** Opens the store in a folder, which need not exist yet. Reads nothing until asked. */
export function openContentStore(root: string, { claim = () => undefined }: ContentOptions = {}): ContentStore {
  const blobs = join(root, "blobs", "sha256");
  const trash = join(root, "trash");
  const ingestFolder = join(root, "ingest");

  const pathOf = (digest: Digest): string => {
    if (digestAlgorithm(digest) !== "sha256") {
      throw new VarveError("CONTENT_ALGORITHM", `the blob store cannot hold ${digest}: it keeps blobs by their SHA-256`);
    }
    return join(blobs, digestHex(digest));
  };

  const statBlob = async (digest: Digest): Promise<{ size: number } | undefined> => {
    const path = pathOf(digest);
    claim(digest);
    try {
      const found = statSync(path);
      return found.isFile() ? { size: found.size } : undefined;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw storeError(error, "look up a blob");
    }
  };

  async function* readBlob(digest: Digest, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    const path = pathOf(digest);
    claim(digest);
    const file = await open(path, constants.O_RDONLY).catch((error: unknown) => {
      throw notOpened(digest, error);
    });
    const readNext = (): ReturnType<typeof file.read<Buffer>> => {
      const reading = file.read(Buffer.allocUnsafeSlow(readChunkBytes), 0, readChunkBytes, null);
      reading.catch(() => undefined); // told when it is waited for
      return reading;
    };
    const chunks = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      for (let next = readNext(); ;) {
        const { bytesRead, buffer } = await next;
        if (bytesRead === 0) return;
        next = readNext(); // while this one is hashed and written
        yield buffer.subarray(0, bytesRead);
      }
    };
    try {
      yield* endOnAbort(signal)(verifyDigest(digest)(chunks()));
    } finally {
      await file.close();
    }
  }

  /** A small blob, read without a turn of the event loop and its threads: a build that is all cached needs no others. */
  async function* readDocument(digest: Digest): AsyncGenerator<Uint8Array, void, undefined> {
    const path = pathOf(digest);
    claim(digest);
    let file: number;
    try {
      file = openSync(path, constants.O_RDONLY);
    } catch (error) {
      throw notOpened(digest, error);
    }
    try {
      for (;;) {
        const chunk = Buffer.allocUnsafeSlow(documentChunkBytes);
        const bytesRead = readSync(file, chunk);
        if (bytesRead === 0) return;
        yield chunk.subarray(0, bytesRead);
      }
    } finally {
      closeSync(file);
    }
  }

  /** Puts a complete, synced file in its place. A blob that is there already is replaced by its equal. */
  const publish = async (path: string, digest: Digest): Promise<void> => {
    claim(digest);
    try {
      await mkdir(blobs, { recursive: true });
      await rename(path, pathOf(digest));
      await syncFolder(blobs);
    } catch (error) {
      throw storeError(error, "store a blob");
    }
  };

  const ingest = async (source: ByteSource, options: IngestOptions = {}): Promise<StoredBlob> => {
    const { expected, signal } = options;
    if (expected !== undefined && (await statBlob(expected.digest))?.size === expected.size)
      return { digest: expected.digest, size: expected.size };
    throwIfAborted(signal);
    const path = newIngestPath(ingestFolder);
    const written = await writeStream(path, source, options);
    try {
      await publish(path, written.digest);
    } catch (error) {
      // The first failure is the one to tell; a file that stays is swept later.
      await unlink(path).catch(() => undefined);
      throw error;
    }
    return written;
  };

  return {
    root,
    pathOf,
    stat: statBlob,
    ingest,
    has: async (digest) => (await statBlob(digest)) !== undefined,
    open: (digest, options = {}) => readBlob(digest, options.signal),
    readAll: (digest, { maxBytes, signal }) =>
      collectBytes(endOnAbort(signal)(verifyDigest(digest)(readDocument(digest))), { maxBytes, what: `the blob ${digest}` }),
    async writeBytes(bytes, options = {}) {
      const whole = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
        yield bytes;
      };
      return await ingest(whole(), {
        ...options,
        expected: { digest: sha256(bytes), size: bytes.length },
      });
    },
    ingestPath: () => newIngestPath(ingestFolder),
    async commitFile(path, digest) {
      if (join(path, "..") !== ingestFolder) throw new TypeError("commitFile takes a path that ingestPath gave");
      pathOf(digest);
      try {
        const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
        try {
          const { size } = await file.stat();
          await file.sync();
          await publish(path, digest);
          return { digest, size };
        } finally {
          await file.close();
        }
      } catch (error) {
        throw storeError(error, "store a file as a blob");
      }
    },
    async delete(digest) {
      try {
        await unlink(pathOf(digest));
        return true;
      } catch (error) {
        if (errnoOf(error) === "ENOENT") return false;
        throw storeError(error, "delete a blob");
      }
    },
    throwAway(digests) {
      try {
        mkdirSync(trash, { recursive: true, mode: 0o700 });
        for (const digest of digests) {
          try {
            renameSync(pathOf(digest), join(trash, digestHex(digest)));
          } catch (error) {
            if (errnoOf(error) !== "ENOENT") throw error;
          }
        }
      } catch (error) {
        throw storeError(error, "remove blobs");
      }
    },
    async emptyTrash() {
      try {
        for (const name of await readdir(trash)) await rm(join(trash, name), { force: true });
      } catch (error) {
        if (errnoOf(error) !== "ENOENT") throw storeError(error, "empty the trash");
      }
    },
    async list() {
      try {
        const names = await readdir(blobs);
        return names.filter((name) => /^[0-9a-f]{64}$/.test(name)).map(digestOfHex);
      } catch (error) {
        if (errnoOf(error) === "ENOENT") return [];
        throw storeError(error, "list the blobs");
      }
    },
    sweepIngest: () => sweepIngestFolder(ingestFolder),
  };
}

function notOpened(digest: Digest, error: unknown): unknown {
  if (errnoOf(error) !== "ENOENT") return storeError(error, "open a blob");
  return new VarveError("CONTENT_NOT_FOUND", `the blob ${digest} is not in the store`, { details: { digest } });
}
