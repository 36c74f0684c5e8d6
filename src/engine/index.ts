/**
 * The library's front door: builds and images over one store folder. The one room that names drivers and wires the parts
 * together; it prints nothing and reads no environment variables.
 */
export { readIgnorePatterns } from "./build-input.ts";
export { fixDockerfile, lintDockerfile, type LintOptions } from "./lint-dockerfile.ts";
export { openVarve } from "./open-varve.ts";
export type * from "./store-types.ts";
export type * from "./builder-types.ts";
export type * from "./container-types.ts";
export type * from "./remote-image-types.ts";
export type * from "./git-folder-types.ts";
export type * from "./verify-types.ts";
export type * from "./image-tree-types.ts";
export { isWithoutEffect, readNodeFlags } from "../builders/index.ts";
export type * from "./types.ts";
export type {
  BuildRecord,
  BuildStatus,
  EventsOptions,
  History,
  RecordedError,
  RecordedOptions,
  RecordedResult,
  StepCounts,
} from "../history/index.ts";
export type { CacheExport, CacheImport } from "../cache-transfer/index.ts";
export type * from "./context-types.ts";
export type * from "./login-types.ts";
export type { CredentialPlace } from "../registry/index.ts";
export type * from "./cache-mount-types.ts";
export type { CacheMountInfo } from "../cache-mounts/index.ts";
