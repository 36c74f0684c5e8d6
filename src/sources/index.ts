/**
 * Where a build's inputs come from: base images (a registry, or Varve's own store) and folders of the user's. Images
 * become snapshots, lazily: a build that is all cached asks a registry for a digest and reads nothing else.
 */
export { createContextFolders, sourcesSchema, type ContextFolders } from "./context-folders.ts";
export { createImageSource, type ImageSource, type ImageSourceOptions } from "./image-source.ts";
export type { LayeredRoot } from "./unpack-image.ts";
export { findInLayout, openImageLayout } from "./image-layout.ts";
export type { ImageOrigin, ResolvedImage, TransferStatus } from "./image-types.ts";
export { importArchive, type ImportedImage, type ImportOptions } from "./import-archive.ts";
export { createGitSource, type GitSource, type GitUseOptions, type ResolvedGit } from "./git-source.ts";
export { runGit } from "./git-process.ts";
export { checkRef, isCommitHash, readGitRequest, type GitRequest } from "./git-request.ts";
export { sourcesHandlers } from "./handlers.ts";
export type { HttpLimits } from "./http-fetch.ts";
export { fileNameOf, readHttpRequest, type HttpFileRequest } from "./http-request.ts";
export { createHttpSource, httpSchema, type FetchStatus, type HttpFile, type HttpSource } from "./http-source.ts";
export { createPins, type Pins } from "./pins.ts";
export type { ReadSecret } from "./secret.ts";
