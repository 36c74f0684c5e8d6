/**
 * From a result to what the user asked for: the image store, OCI and docker archives, a tar of files, a folder. Layers are
 * packed only here, and blobs only where an output holds them. Everything is written aside and renamed: no half output.
 */
export { annotationsAt, checkAnnotations, normalizeAnnotation, type Annotation } from "./annotations.ts";
export { exportImage, storeImage, type ExportedImage, type ExportImageOptions } from "./export-image.ts";
export { blobLayers, identifyLayers, type Compression, type LayerFacts, type Packing } from "./pack-layers.ts";
export { packImage, packIndex, type PackedImage, type PackedIndex, type PackOptions } from "./pack-image.ts";
export { writeArchive, type ArchiveImage, type ArchiveIndex, type ArchiveKind } from "./write-archive.ts";
export { writeLayout } from "./write-layout.ts";
export { exportFolder, exportTar, type FilesOfPlatform, type FilesOptions } from "./export-files.ts";
export { withOutputFile, type ByteSink } from "./output-file.ts";
export { exportersHandlers } from "./handlers.ts";
export type { PlatformResult } from "./platform-result.ts";
