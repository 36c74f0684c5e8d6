import { hostname as machineName } from "node:os";
import { VarveError } from "../errors/index.ts";
import type { ContainerConfig as ImageDefaults, HealthConfig } from "../oci/index.ts";
import type { FoundImage } from "./room.ts";
import type { ContainerConfig, ContainerRequest, HostConfig } from "./types.ts";

/** What a container has where nothing was asked for: Docker's defaults. */
export const defaultHost: HostConfig = {
  autoRemove: false,
  restart: { name: "no", maximumRetries: 0 },
  networkMode: "default",
  networks: {},
  ports: [],
  publishAll: false,
  extraHosts: [],
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  mounts: [],
  readonlyRoot: false,
  init: false,
  privileged: false,
  capAdd: [],
  capDrop: [],
  securityOpt: [],
  devices: [],
  groupAdd: [],
  sysctls: {},
  ulimits: [],
  pidMode: "private",
  ipcMode: "private",
  utsMode: "private",
  resources: {},
  log: { driver: "json-file" },
};

/** A request with everything of the image and every default filled in, as `docker create` does it. */
export function fillConfig(request: ContainerRequest, found: FoundImage, id: string): ContainerConfig {
  const defaults: ImageDefaults = found.config.config ?? {};
  const host: HostConfig = { ...defaultHost, ...request.host };
  const { entrypoint, command } = chooseCommand(request, defaults);
  const healthcheck = chooseHealthcheck(request.healthcheck, defaults.Healthcheck);
  const stopTimeoutS = request.stopTimeoutS;
  return {
    image: request.image,
    imageId: found.id,
    platform: found.platform,
    entrypoint,
    command,
    env: mergeEnv(defaults.Env ?? [], request.env ?? []),
    labels: { ...defaults.Labels, ...request.labels },
    workingDir: request.workingDir ?? defaults.WorkingDir ?? "",
    user: request.user ?? defaults.User ?? "",
    hostname: request.hostname ?? (host.networkMode === "host" || host.utsMode === "host" ? machineName() : id.slice(0, 12)),
    ...(request.domainName === undefined ? {} : { domainName: request.domainName }),
    tty: request.tty ?? false,
    openStdin: request.openStdin ?? false,
    stdinOnce: request.stdinOnce ?? false,
    stopSignal: request.stopSignal ?? (defaults.StopSignal || "SIGTERM"),
    ...(stopTimeoutS === undefined ? {} : { stopTimeoutS }),
    ...(healthcheck === undefined ? {} : { healthcheck }),
    exposedPorts: [
      ...new Set([
        ...Object.keys(defaults.ExposedPorts ?? {}).map((port) => (port.includes("/") ? port : `${port}/tcp`)),
        ...(request.exposedPorts ?? []),
        ...host.ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`),
      ]),
    ],
    host,
  };
}

/** An entrypoint of the request takes the image's command away, too; an empty one takes the image's entrypoint away. */
function chooseCommand(
  request: ContainerRequest,
  { Entrypoint, Cmd }: ImageDefaults,
): { readonly entrypoint: readonly string[]; readonly command: readonly string[] } {
  const own = request.entrypoint;
  const entrypoint = (own ?? Entrypoint ?? []).filter((word, index, all) => !(all.length === 1 && word === "" && index === 0));
  const asked = request.command ?? [];
  const command = asked.length > 0 || own !== undefined ? asked : (Cmd ?? []);
  if (entrypoint.length + command.length === 0) throw new VarveError("CONTAINER_INVALID", "no command specified");
  return { entrypoint, command };
}

/** The request's come first, as Docker has them; the image's follow where they have other names. */
function mergeEnv(image: readonly string[], own: readonly string[]): readonly string[] {
  const nameOf = (entry: string): string => entry.split("=", 1)[0] ?? "";
  const latest = new Map(own.map((entry) => [nameOf(entry), entry]));
  return [...latest.values(), ...image.filter((entry) => !latest.has(nameOf(entry)))];
}

function chooseHealthcheck(own: ContainerRequest["healthcheck"], image: HealthConfig | undefined): HealthConfig | undefined {
  if (own === "none") return { Test: ["NONE"] };
  const merged: HealthConfig = { ...image, ...own };
  return merged.Test === undefined || merged.Test.length === 0 ? undefined : merged;
}
