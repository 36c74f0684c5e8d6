/**
 * From a result to what the user asked for: the image store, OCI and docker archives, a tar of files, a folder. Layers are
 * packed only here, and blobs only where an output holds them. Everything is written aside and renamed: no half output.
 */
export { exportImage, storeImage, type ExportedImage, type ExportImageOptions } from "./export-image.ts";
export { blobLayers, identifyLayers, type LayerFacts } from "./pack-layers.ts";
export { packImage, type PackedImage, type PackOptions } from "./pack-image.ts";
export { writeArchive, type ArchiveImage, type ArchiveKind } from "./write-archive.ts";
export { exportFolder, exportTar } from "./export-files.ts";
export { withOutputFile, type ByteSink } from "./output-file.ts";
export { exportersHandlers } from "./handlers.ts";
export type { PlatformResult } from "./platform-result.ts";
