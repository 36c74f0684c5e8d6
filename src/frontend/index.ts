/**
 * From a checked Dockerfile to an LLB graph and an image config: stages and targets, argument scopes, what each
 * instruction does, history and step names, all as BuildKit's dockerfile.v0 frontend. Pure: reads no files and asks no
 * network; what images are is answered by a function that is handed in. Runs nothing.
 */
export { compileDockerfile, lintStages, outlineDockerfile } from "./compile.ts";
export { defineRemoteContext, httpContextFile, remoteContext, type RemoteContext } from "./remote-context.ts";
export { listStages } from "./stage-info.ts";
export type * from "./options.ts";
export type { Outline, OutlineArg, OutlineNeed } from "./outline.ts";
