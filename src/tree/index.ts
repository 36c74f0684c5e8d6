/**
 * Trees of files: matching names, choosing what a COPY takes, digests of it, and LLB's file actions inside a root.
 * Every access stays inside its root, whatever links say. All names are strings that lose no byte (`names.ts`); no clock
 * gets into what is written. Knows nothing of layers, archives, caches or Dockerfiles, and mounts nothing.
 */
export { createPatternMatcher, type MatchInfo, type PatternMatcher } from "./pattern-matcher.ts";
export { parseIgnoreFile, parseIgnoreRules, type IgnoreRule } from "./ignore-file.ts";
export type { ContentCache, EntryType, FolderMemory, Tree, TreeEntry } from "./tree.ts";
export { openDirectoryTree, type DirectoryTreeOptions } from "./directory-tree.ts";
export {
  listPaths,
  selectorOf,
  selectSources,
  wholePath,
  type ContentSelector,
  type CopySourceFields,
  type SelectedEntry,
  type SelectedSource,
} from "./selection.ts";
export { hashAhead } from "./hash-ahead.ts";
export { contentDigest, type ContentSink } from "./content-digest.ts";
export {
  compareSelections,
  countEntries,
  decodeSelection,
  encodeSelection,
  seenSelection,
  type SeenSelection,
  type SelectionChange,
} from "./seen-selection.ts";
export { copyChanges, copyInto, type CopyAction, type CopyOptions, type CopyTotals, type UnpackRequest } from "./copy-into.ts";
export {
  makeDirectory,
  makeFile,
  makeSymlink,
  type MakeDirectoryAction,
  type MakeFileAction,
  type MakeOptions,
  type MakeSymlinkAction,
} from "./make.ts";
export { cleanPath } from "./path-text.ts";
export { decodeName, encodePath } from "./names.ts";
export { openRootedFolder, type RootedFolder } from "./rooted-folder.ts";
export { removePath, type RemoveAction } from "./remove.ts";
export { lookupGroups, lookupUser, resolveOwner, type OwnerIds, type OwnerReference, type RunUser } from "./owner.ts";
