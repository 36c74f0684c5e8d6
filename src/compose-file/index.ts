/**
 * Compose files ↔ the model of a project: finding and reading the files, interpolation, merging, include, extends,
 * profiles, validation against the Compose Specification's schema, long forms, and the model's text and hash. Pure: files
 * are read through functions handed in; nothing here starts, prints or asks an engine.
 */
export type * from "./build-types.ts";
export type * from "./deploy-types.ts";
export type * from "./load-types.ts";
export type * from "./types.ts";
export { isRemoteFile, readEnvFile } from "./find-files.ts";
export { includesFiles, replaceFiles, type NamedFile } from "./replace-files.ts";
export { listVariables, loadProject, type ProjectVariable } from "./load-project.ts";
export { configHash, networkHash, printProject, volumeHash, type PrintOptions } from "./print-project.ts";
export { scaleOf, selectServices, withoutUnused } from "./select-services.ts";
