import type { ContainerConfig, MountRequest } from "../../containers/index.ts";

const defaultShmBytes = 64 * 1024 * 1024;

/** The `HostConfig` of a container as Docker's API has it. */
export function describeHost({ host }: ContainerConfig): Readonly<Record<string, unknown>> {
  const { resources, log } = host;
  return {
    Binds: orNull(host.mounts.filter(({ type }) => type !== "tmpfs" && type !== "image").map(bindText)),
    ContainerIDFile: "",
    LogConfig: { Type: log.driver, Config: logOptions(log) },
    NetworkMode: host.networkMode,
    PortBindings: portBindings(host.ports),
    RestartPolicy: { Name: host.restart.name, MaximumRetryCount: host.restart.maximumRetries },
    AutoRemove: host.autoRemove,
    VolumeDriver: "",
    VolumesFrom: null,
    ConsoleSize: [0, 0],
    CapAdd: orNull(host.capAdd),
    CapDrop: orNull(host.capDrop),
    CgroupnsMode: "host",
    Dns: host.dns,
    DnsOptions: host.dnsOptions,
    DnsSearch: host.dnsSearch,
    ExtraHosts: orNull(host.extraHosts.map(({ host: name, ip }) => `${name}:${ip}`)),
    GroupAdd: orNull(host.groupAdd),
    IpcMode: host.ipcMode,
    Cgroup: "",
    Links: null,
    OomScoreAdj: host.oomScoreAdj ?? 0,
    PidMode: host.pidMode === "private" ? "" : host.pidMode,
    Privileged: host.privileged,
    PublishAllPorts: host.publishAll,
    ReadonlyRootfs: host.readonlyRoot,
    SecurityOpt: orNull(host.securityOpt),
    ...tmpfsOf(host.mounts),
    UTSMode: host.utsMode === "private" ? "" : host.utsMode,
    UsernsMode: "",
    ShmSize: host.shmBytes ?? defaultShmBytes,
    ...(Object.keys(host.sysctls).length === 0 ? {} : { Sysctls: host.sysctls }),
    Runtime: "runc",
    ...(host.init ? { Init: true } : {}),
    Isolation: "",
    CpuShares: resources.cpuShares ?? 0,
    Memory: resources.memoryBytes ?? 0,
    NanoCpus: Math.round((resources.cpus ?? 0) * 1e9),
    CgroupParent: host.cgroupParent ?? "",
    CpuPeriod: resources.cpuPeriodUs ?? 0,
    CpuQuota: resources.cpuQuotaUs ?? 0,
    CpusetCpus: resources.cpusetCpus ?? "",
    CpusetMems: resources.cpusetMems ?? "",
    Devices: host.devices.map(({ host: path, container, access }) => ({
      PathOnHost: path,
      PathInContainer: container,
      CgroupPermissions: access,
    })),
    DeviceCgroupRules: null,
    DeviceRequests: null,
    MemoryReservation: resources.memoryReservationBytes ?? 0,
    MemorySwap: resources.memorySwapBytes ?? 0,
    MemorySwappiness: null,
    OomKillDisable: resources.oomKillDisable ?? false,
    PidsLimit: resources.pidsLimit ?? null,
    Ulimits: host.ulimits.map(({ name, soft, hard }) => ({ Name: name, Hard: hard, Soft: soft })),
  };
}

function orNull(list: readonly string[]): readonly string[] | null {
  return list.length === 0 ? null : list;
}

function bindText({ source, target, readonly }: MountRequest): string {
  return `${source === undefined ? "" : `${source}:`}${target}${readonly ? ":ro" : ""}`;
}

function tmpfsOf(mounts: readonly MountRequest[]): { readonly Tmpfs?: Readonly<Record<string, string>> } {
  const own = mounts.filter(({ type }) => type === "tmpfs");
  if (own.length === 0) return {};
  return { Tmpfs: Object.fromEntries(own.map(({ target, tmpfsOptions = [] }) => [target, tmpfsOptions.join(",")])) };
}

function portBindings(ports: ContainerConfig["host"]["ports"]): Readonly<Record<string, unknown>> {
  const byPort = Map.groupBy(ports, ({ containerPort, protocol }) => `${containerPort}/${protocol}`);
  return Object.fromEntries(
    [...byPort].map(([port, list]) => [
      port,
      list.map(({ hostIp = "", hostPort, lastHostPort }) => ({
        HostIp: hostIp,
        HostPort: hostPort === undefined ? "" : lastHostPort === undefined ? String(hostPort) : `${hostPort}-${lastHostPort}`,
      })),
    ]),
  );
}

function logOptions({ maxBytes, maxFiles }: ContainerConfig["host"]["log"]): Readonly<Record<string, string>> {
  return {
    ...(maxFiles === undefined ? {} : { "max-file": String(maxFiles) }),
    ...(maxBytes === undefined ? {} : { "max-size": String(maxBytes) }),
  };
}
