import { randomBytes } from "node:crypto";
import { defaultHost, type Container, type ContainerConfig, type ContainerRequest } from "../containers/index.ts";
import type { Digest, Platform } from "../oci/index.ts";

/** The container that a request would make, as far as a project looks at one. It is nowhere but in the answer. */
export function imagineContainer(
  request: ContainerRequest,
  { imageId, platform }: { readonly imageId: Digest; readonly platform: Platform },
): Container {
  const id = randomBytes(32).toString("hex");
  const config: ContainerConfig = {
    entrypoint: [],
    command: [],
    env: [],
    labels: {},
    workingDir: "",
    user: "",
    hostname: id.slice(0, 12),
    tty: false,
    openStdin: false,
    stdinOnce: false,
    stopSignal: "SIGTERM",
    exposedPorts: [],
    ...withoutUndefined(request),
    imageId,
    platform,
    healthcheck: request.healthcheck === "none" ? { Test: ["NONE"] } : { ...request.healthcheck },
    host: { ...defaultHost, ...request.host },
  };
  return {
    id,
    name: request.name ?? id.slice(0, 12),
    createdMs: Date.now(),
    config,
    state: { status: "created", exitCode: 0, oomKilled: false, error: "", restartCount: 0 },
    endpoints: {},
    ports: [],
    mounts: config.host.mounts,
    folder: "",
    logPath: "",
  };
}

type Kept = Omit<ContainerRequest, "host" | "healthcheck" | "name" | "pull" | "platform">;

function withoutUndefined({
  host: _host,
  healthcheck: _check,
  name: _name,
  pull: _pull,
  platform: _platform,
  ...kept
}: ContainerRequest): Kept {
  return kept;
}
