/**
 * Compose projects on this machine: a project's model over the engine's containers, networks, volumes and builds. It compares what
 * is asked for with what is there, and changes only what differs. Never parses a file, never prints.
 */
export type { ComposeEngine, Report, StepEvent } from "./engine.ts";
export { allServices, observeProject, ofServices, type ProjectContext } from "./context.ts";
export { dryContext } from "./dry-engine.ts";
export { labels } from "./labels.ts";
export { isRunning, observe, shortName, type Observed } from "./observed.ts";
export { buildServices, type ImagePolicy } from "./images.ts";
export type { BuildRequest, ServiceBuild } from "./service-build.ts";
export { startServices, type StartOptions } from "./start-services.ts";
export { up, type UpOptions } from "./up.ts";
export { down, type DownOptions } from "./down.ts";
export { converge, type ConvergeOptions } from "./converge.ts";
export {
  findContainer,
  killServices,
  pauseServices,
  removeStopped,
  restartServices,
  startStopped,
  stopServices,
  unpauseServices,
} from "./operations.ts";
export { makeOneOff, type OneOffRequest } from "./one-off.ts";
export { followLogs, type FollowOptions, type LogFollower } from "./follow-logs.ts";
export { watchProject, type WatchOptions } from "./watch.ts";
export type { WatchEvent } from "./carry-out-changes.ts";
export { pullServices, pushServices, type TransferOptions } from "./transfer-images.ts";
export { filesOfArtifact, mainFile } from "./artifact.ts";
export { publishProject, type PublishOptions } from "./publish.ts";
export { digestsFile, resolveImages } from "./image-digests.ts";
export { selectServices } from "./service-order.ts";
