import type { ApplyOptions, AppliedLayer } from "./apply-layer.ts";
import type { DiffOptions, DiffResult } from "./diff-layer.ts";
import type { PackOptions, PackedLayer } from "./pack-layer.ts";
import type { UnpackOptions } from "./unpack-archive.ts";

/**
 * Unpacks a layer into a folder, in overlay's form; see {@link ApplyOptions}. Hostile archives cannot reach outside it.
 * Errors: `TAR_*`, `LAYER_*`, `DISK_FULL`.
 */
export async function applyLayer(options: ApplyOptions): Promise<AppliedLayer> {
  return (await import("./apply-layer.ts")).applyLayer(options);
}

/** Writes what a snapshot changed as a layer's tar, end mark included; the same content gives the same bytes. Errors: `LAYER_*`. */
export async function diffLayer(options: DiffOptions): Promise<DiffResult> {
  return (await import("./diff-layer.ts")).diffLayer(options);
}

/** {@link diffLayer} into a blob, compressed or not, with the digests of both. Errors: `LAYER_*`, `DISK_FULL`. */
export async function packLayer(options: PackOptions): Promise<PackedLayer> {
  return (await import("./pack-layer.ts")).packLayer(options);
}

/** Unpacks what may be an archive into a folder, as ADD does; see {@link UnpackOptions}. Errors: `TAR_*`, `LAYER_*`, `DISK_FULL`. */
export async function unpackArchive(options: UnpackOptions): Promise<"unpacked" | "empty" | "no archive"> {
  return (await import("./unpack-archive.ts")).unpackArchive(options);
}
