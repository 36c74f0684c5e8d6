import type { FileCopy } from "./types.ts";

/** A copy that changes nothing and reads no pattern. */
export const plainCopy: FileCopy = {
  src: "",
  dest: "",
  mode: -1,
  modeStr: "",
  followSymlink: false,
  dirCopyContents: false,
  attemptUnpack: false,
  createDestPath: true,
  allowWildcard: false,
  allowEmptyWildcard: false,
  timestamp: -1,
  includePatterns: [],
  excludePatterns: [],
  alwaysReplaceExistingDestPaths: false,
  requiredPaths: [],
};
