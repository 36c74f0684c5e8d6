import type { Container, Endpoint, EndpointRequest, MountRequest } from "../../containers/index.ts";
import type { Varve } from "../../engine/index.ts";
import { isVarveError } from "../../errors/index.ts";
import { join } from "node:path";
import { networkNames } from "./container-row.ts";
import { describeHost } from "./describe-host.ts";

const never = "0001-01-01T00:00:00Z";

/** A container as `docker container inspect` shows it. With `size` what it takes is measured. */
export async function describeContainer(
  container: Container,
  store: Pick<Varve, "containers" | "volumes">,
  { size }: { readonly size: boolean },
): Promise<Readonly<Record<string, unknown>>> {
  const { id, name, config, state, logPath } = container;
  const [path = "", ...args] = [...config.entrypoint, ...config.command];
  const folder = container.folder;
  const sizes = size ? await store.containers.size(id) : undefined;
  return {
    Id: id,
    Created: timeText(container.createdMs),
    Path: path,
    Args: args,
    State: describeState(state),
    Image: config.imageId,
    ResolvConfPath: join(folder, "resolv.conf"),
    HostnamePath: join(folder, "hostname"),
    HostsPath: join(folder, "hosts"),
    LogPath: logPath,
    Name: `/${name}`,
    RestartCount: state.restartCount,
    Driver: "overlayfs",
    Platform: config.platform.os,
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: null,
    HostConfig: describeHost(config),
    GraphDriver: { Data: { UpperDir: join(folder, "fs"), WorkDir: join(folder, "work") }, Name: "overlayfs" },
    ...(sizes === undefined ? {} : { SizeRw: sizes.writtenBytes, SizeRootFs: sizes.writtenBytes + sizes.imageBytes }),
    Mounts: container.mounts.filter(({ type }) => type !== "tmpfs").map((mount) => describeMount(mount, store)),
    Config: describeConfig(container),
    NetworkSettings: describeNetworks(container),
  };
}

function describeState(state: Container["state"]): Readonly<Record<string, unknown>> {
  const { status, health } = state;
  return {
    Status: status,
    Running: status === "running" || status === "paused" || status === "restarting",
    Paused: status === "paused",
    Restarting: status === "restarting",
    OOMKilled: state.oomKilled,
    Dead: status === "dead",
    Pid: state.pid ?? 0,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedMs === undefined ? never : timeText(state.startedMs),
    FinishedAt: state.finishedMs === undefined ? never : timeText(state.finishedMs),
    ...(health === undefined
      ? {}
      : {
          Health: {
            Status: health.status,
            FailingStreak: health.failingStreak,
            Log: health.log.map(({ startMs, endMs, exitCode, output }) => ({
              Start: timeText(startMs),
              End: timeText(endMs),
              ExitCode: exitCode,
              Output: output,
            })),
          },
        }),
  };
}

function describeMount(mount: MountRequest, { volumes }: Pick<Varve, "volumes">): Readonly<Record<string, unknown>> {
  const { type, source = "", target, readonly } = mount;
  const common = { Destination: target, Mode: "", RW: !readonly };
  if (type === "bind") return { Type: "bind", Source: source, ...common, Propagation: mount.propagation ?? "rprivate" };
  if (type === "image") return { Type: "image", Name: source, Source: "", ...common, RW: false, Propagation: "rprivate" };
  return { Type: "volume", Name: source, Source: folderOf(source, volumes), ...common, Driver: "local", Propagation: "" };
}

function folderOf(name: string, volumes: Varve["volumes"]): string {
  try {
    return volumes.get(name).mountpoint;
  } catch (error) {
    // removed behind the container's back
    if (isVarveError(error)) return "";
    throw error;
  }
}

function describeConfig({ config, mounts }: Container): Readonly<Record<string, unknown>> {
  const anonymous = mounts.filter(({ type }) => type === "volume").map(({ target }) => target);
  const { healthcheck, stopTimeoutS } = config;
  return {
    Hostname: config.hostname,
    Domainname: config.domainName ?? "",
    User: config.user,
    AttachStdin: config.stdinOnce,
    AttachStdout: false,
    AttachStderr: false,
    ...(config.exposedPorts.length === 0 ? {} : { ExposedPorts: asSet(config.exposedPorts) }),
    Tty: config.tty,
    OpenStdin: config.openStdin,
    StdinOnce: config.stdinOnce,
    Env: config.env,
    Cmd: config.command.length === 0 ? null : config.command,
    ...(healthcheck === undefined ? {} : { Healthcheck: healthcheck }),
    Image: config.image,
    Volumes: anonymous.length === 0 ? null : asSet(anonymous),
    WorkingDir: config.workingDir,
    Entrypoint: config.entrypoint.length === 0 ? null : config.entrypoint,
    OnBuild: null,
    Labels: config.labels,
    StopSignal: config.stopSignal,
    ...(stopTimeoutS === undefined ? {} : { StopTimeout: stopTimeoutS }),
  };
}

function describeNetworks(container: Container): Readonly<Record<string, unknown>> {
  const { endpoints, config, ports, state } = container;
  const networks = Object.fromEntries(
    networkNames(container).map((name) => [name, describeEndpoint(endpoints[name], config.host.networks[name])]),
  );
  const onBridge = networks["bridge"];
  const isUp = state.status === "running" || state.status === "paused";
  const published = new Map<string, { HostIp: string; HostPort: string }[] | null>(
    isUp ? config.exposedPorts.map((port) => [port, null]) : [],
  );
  for (const { hostIp, hostPort, containerPort, protocol } of ports) {
    const key = `${containerPort}/${protocol}`;
    published.set(key, [...(published.get(key) ?? []), { HostIp: hostIp, HostPort: String(hostPort) }]);
  }
  return {
    Bridge: "",
    SandboxID: "",
    SandboxKey: state.pid === undefined ? "" : `/proc/${state.pid}/ns/net`,
    Ports: Object.fromEntries(published),
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: "",
    Gateway: onBridge?.Gateway ?? "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    IPAddress: onBridge?.IPAddress ?? "",
    IPPrefixLen: onBridge?.IPPrefixLen ?? 0,
    IPv6Gateway: "",
    MacAddress: onBridge?.MacAddress ?? "",
    Networks: networks,
  };
}

/** What a container has of a network while it runs, and what it asks for of it otherwise. */
function describeEndpoint(endpoint: Endpoint | undefined, asked: EndpointRequest | undefined) {
  const aliases = endpoint?.aliases ?? asked?.aliases ?? [];
  return {
    IPAMConfig: null,
    Links: null,
    Aliases: aliases.length === 0 ? null : aliases,
    MacAddress: endpoint?.macAddress ?? "",
    DriverOpts: null,
    GwPriority: 0,
    NetworkID: endpoint?.networkId ?? "",
    EndpointID: "",
    Gateway: endpoint?.gateway ?? "",
    IPAddress: endpoint?.ipv4 ?? "",
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    IPv6Gateway: endpoint?.ipv6Gateway ?? "",
    GlobalIPv6Address: endpoint?.ipv6 ?? "",
    GlobalIPv6PrefixLen: endpoint?.ipv6PrefixLength ?? 0,
    DNSNames: null,
  };
}

function asSet(names: readonly string[]): Readonly<Record<string, object>> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

/** Fields that are maps to Docker's templates, by the path to them. */
const mapPaths: readonly (readonly string[])[] = [
  ["Config", "Labels"],
  ["Config", "ExposedPorts"],
  ["Config", "Volumes"],
  ["HostConfig", "PortBindings"],
  ["HostConfig", "Sysctls"],
  ["HostConfig", "Tmpfs"],
  ["HostConfig", "LogConfig", "Config"],
  ["NetworkSettings", "Ports"],
  ["NetworkSettings", "Networks"],
];

/** A container's description with maps where Docker's structs have maps. */
export function containerForTemplates(container: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return mapPaths.reduce((whole, path) => withMap(whole, path), container);
}

function withMap(
  whole: Readonly<Record<string, unknown>>,
  [key = "", ...rest]: readonly string[],
): Readonly<Record<string, unknown>> {
  const value = whole[key];
  if (typeof value !== "object" || value === null) return whole;
  const fields = value as Readonly<Record<string, unknown>>;
  return { ...whole, [key]: rest.length === 0 ? new Map(Object.entries(fields)) : withMap(fields, rest) };
}
