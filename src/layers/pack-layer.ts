import { createHash } from "node:crypto";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import type { Digest } from "../oci/index.ts";
import { createBlockCompressor, type BlockCompressor } from "./compress-blocks.ts";
import { diffLayer, type DiffOptions } from "./diff-layer.ts";
import { explainWrite } from "./layer-failures.ts";
import { openMembers, writeRow, type KnownMembers } from "./packed-members.ts";

export interface PackOptions extends Omit<DiffOptions, "sink" | "blockBytes" | "minBlockBytes"> {
  /** "none" only finds out the diff ID. */
  readonly compression: "gzip" | "zstd" | "uncompressed" | "none";
  /** gzip 0 to 9, default 5; zstd 0 to 22, default 3. */
  readonly level?: number | undefined;
  /** Where the blob goes, replacing what is there; not for "none". Not synced; gone again after a failure. */
  readonly path?: string | undefined;
  /** Blobs that were packed with the same compression and level: their members are taken where they fit. */
  readonly known?: readonly KnownMembers[] | undefined;
  /** Bytes of the tar so far. */
  readonly onProgress?: ((progress: { readonly current: number }) => void) | undefined;
}

export interface PackedLayer {
  /** Digest and length of the tar. */
  readonly diffId: Digest;
  readonly diffSize: number;
  /** Digest and length of the blob at `path`; absent for "none". */
  readonly digest?: Digest;
  readonly size?: number;
  /** What the blob is made of, for `known` of a later one; absent where it is not compressed. */
  readonly members?: Uint8Array;
}

/** Smaller blocks lose more of the compression; larger ones more of what did not change, and memory. */
const blockSizes = {
  gzip: { blockBytes: 1 << 20, minBlockBytes: 1 << 18 },
  zstd: { blockBytes: 1 << 21, minBlockBytes: 1 << 19 },
  uncompressed: { blockBytes: 1 << 20 },
  none: { blockBytes: 1 << 20 },
} as const;

/** Packs a snapshot as a layer blob in one pass, holding a few blocks in memory however large the files are. */
export async function packLayer(options: PackOptions): Promise<PackedLayer> {
  const { compression, level, path, known = [], onProgress, ...diff } = options;
  if ((compression === "none") !== (path === undefined)) throw new TypeError("a path is given exactly when a blob is made");
  const diffHash = createHash("sha256");
  const blobHash = createHash("sha256");
  let size = 0;
  let current = 0;
  let fd: number | undefined;
  let compressor: BlockCompressor | undefined;
  const rows: Buffer[] = [];
  await using members = openMembers(known);
  const save = (block: Uint8Array, key?: string): void => {
    if (key !== undefined) rows.push(writeRow(key, block, size));
    blobHash.update(block);
    size += block.length;
    for (let at = 0; fd !== undefined && at < block.length;) at += writeSync(fd, block, at);
  };
  try {
    if (path !== undefined) fd = openSync(path, "w");
    if (compression === "gzip" || compression === "zstd")
      compressor = await createBlockCompressor({ compression, level, known: members, onBlock: save });
    const { bytes: diffSize } = await diffLayer({
      ...diff,
      ...blockSizes[compression],
      sink(block, release) {
        diffHash.update(block);
        current += block.length;
        onProgress?.({ current });
        if (compressor !== undefined) return compressor.push(block, release);
        if (compression === "uncompressed") save(block);
        release();
      },
    });
    await compressor?.finish();
    const diffId = `sha256:${diffHash.digest("hex")}` as Digest;
    if (compression === "none") return { diffId, diffSize };
    const blob = { diffId, diffSize, digest: `sha256:${blobHash.digest("hex")}` as Digest, size };
    return rows.length === 0 ? blob : { ...blob, members: Buffer.concat(rows) };
  } catch (error) {
    await compressor?.stop();
    if (path !== undefined) rmSync(path, { force: true });
    throw explainWrite(error, path ?? "the layer");
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
