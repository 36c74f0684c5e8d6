/**
 * Layers: what a snapshot changed ↔ the tar that an image carries; archives that are unpacked into a root. Unpacking and packing run in the worker process, in its
 * mount and user namespaces; which blob holds which layer is kept in the state database. No network, no mounts, no choice
 * of what is packed or when.
 */
export { applyLayer, diffLayer, packLayer, unpackArchive } from "./layer-work.ts";
export type { AppliedLayer, ApplyOptions } from "./apply-layer.ts";
export { decompress, type Decompressed } from "./decompress.ts";
export { recompress, type RecompressOptions } from "./recompress.ts";
export type { DiffOptions, DiffResult } from "./diff-layer.ts";
export { layersSchema, openLayerBlobs, type LayerBlobs } from "./layer-blobs.ts";
export type { PackOptions, PackedLayer } from "./pack-layer.ts";
export {
  applyTask,
  changesTask,
  packTask,
  type FoundChanges,
  type ApplyParams,
  type ApplyProgress,
  type PackParams,
  type PackResult,
} from "./tasks.ts";
export type { CopyManner, UnpackOptions } from "./unpack-archive.ts";
export type { BlockSink } from "./tar-blocks.ts";
export { layersHandlers } from "./handlers.ts";
export { unpackContextTask } from "./tasks.ts";
