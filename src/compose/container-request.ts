import type { Project, Service } from "../compose-file/index.ts";
import type { ContainerRequest, EndpointRequest, HostConfig, RestartPolicy } from "../containers/index.ts";
import { VarveError } from "../errors/index.ts";
import { containerName, imageName } from "./names.ts";
import { mountRequests } from "./mount-requests.ts";
import { portRequests } from "./port-requests.ts";
import { refuseUnsupported } from "./unsupported-fields.ts";

/** What of the engine's a request needs to know. */
export interface RequestContext {
  readonly project: Project;
  /** From 1. */
  readonly number: number;
  readonly labels: Readonly<Record<string, string>>;
  /** The ID of a running container of another service, for `network_mode`, `pid` and `ipc`. */
  readonly containerOf: (service: string) => string;
  /** Anonymous volumes that the container which it takes the place of had, by target. */
  readonly carriedVolumes?: Readonly<Record<string, string>>;
  /** Of a one-off container: its name, and whether it stands for the service on its networks. */
  readonly oneOff?: {
    readonly name: string;
    readonly useAliases: boolean;
    readonly autoRemove: boolean;
    /** Standard input ends with the client. */
    readonly stdinOnce: boolean;
  };
  /** Between the parts of the name. */
  readonly separator?: "-" | "_";
}

/**
 * A service → what its container is asked for (Compose Specification, "Services top-level elements"). Secrets, configs and
 * `volumes_from` are the caller's. Fails with SERVICE_UNSUPPORTED and SERVICE_INVALID.
 */
export function containerRequest(service: Service, context: RequestContext): ContainerRequest {
  refuseUnsupported(service);
  const { project, oneOff } = context;
  return {
    image: imageName(project, service),
    name: oneOff?.name ?? containerName(project, service, context.number, context.separator),
    pull: "never",
    ...given("platform", service.platform),
    ...given("entrypoint", service.entrypoint),
    ...given("command", service.command),
    env: Object.entries(service.environment ?? {}).flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`])),
    labels: context.labels,
    ...given("workingDir", service.working_dir),
    ...given("user", service.user),
    ...given("hostname", service.hostname),
    ...given("domainName", service.domainname),
    tty: service.tty === true,
    openStdin: service.stdin_open === true,
    ...(oneOff?.stdinOnce === true ? { stdinOnce: true } : {}),
    ...given("stopSignal", service.stop_signal),
    ...given("stopTimeoutS", service.stop_grace_period === undefined ? undefined : Math.ceil(service.stop_grace_period / 1000)),
    ...given("healthcheck", healthcheck(service)),
    exposedPorts: exposedPorts(service),
    host: hostConfig(service, context),
  };
}

function hostConfig(service: Service, context: RequestContext): Partial<HostConfig> {
  const { resources } = service.deploy ?? {};
  return {
    autoRemove: context.oneOff?.autoRemove === true,
    restart: context.oneOff === undefined ? restartPolicy(service) : { name: "no", maximumRetries: 0 },
    ...networkSettings(service, context),
    ports: portRequests(service),
    extraHosts: (service.extra_hosts ?? []).map((entry) => {
      const at = entry.search(/[=:]/);
      return { host: entry.slice(0, at), ip: entry.slice(at + 1) };
    }),
    dns: service.dns ?? [],
    dnsSearch: service.dns_search ?? [],
    dnsOptions: service.dns_opt ?? [],
    mounts: mountRequests(service, context.project, context.carriedVolumes ?? {}),
    readonlyRoot: service.read_only === true,
    ...given("init", service.init),
    privileged: service.privileged === true,
    capAdd: service.cap_add ?? [],
    capDrop: service.cap_drop ?? [],
    securityOpt: service.security_opt ?? [],
    devices: (service.devices ?? []).map(({ source, target, permissions }) => ({
      host: source,
      container: target ?? source,
      access: permissions ?? "rwm",
    })),
    groupAdd: service.group_add ?? [],
    sysctls: service.sysctls ?? {},
    ulimits: Object.entries(service.ulimits ?? {}).map(([name, limit]) =>
      typeof limit === "number" ? { name, soft: limit, hard: limit } : { name, ...limit },
    ),
    ...given("shmBytes", service.shm_size),
    ...given("pidMode", namespaceMode(service.pid, context) as HostConfig["pidMode"] | undefined),
    ...given("ipcMode", namespaceMode(service.ipc, context) as HostConfig["ipcMode"] | undefined),
    ...(service.uts === "host" ? { utsMode: "host" as const } : {}),
    resources: {
      ...given("memoryBytes", resources?.limits?.memory ?? service.mem_limit),
      ...given("memoryReservationBytes", resources?.reservations?.memory ?? service.mem_reservation),
      ...given("memorySwapBytes", service.memswap_limit),
      ...given("cpus", resources?.limits?.cpus ?? service.cpus),
      ...given("cpuShares", service.cpu_shares),
      ...given("cpuPeriodUs", service.cpu_period),
      ...given("cpuQuotaUs", service.cpu_quota),
      ...given("cpusetCpus", service.cpuset),
      ...given("pidsLimit", resources?.limits?.pids ?? service.pids_limit),
      ...given("oomKillDisable", service.oom_kill_disable),
    },
    ...given("log", logging(service)),
    ...given("oomScoreAdj", service.oom_score_adj),
    ...given("cgroupParent", service.cgroup_parent),
  };
}

/** The service's networks, the one of the highest priority first: its gateway is the way out. */
function networkSettings(service: Service, context: RequestContext): Pick<HostConfig, "networkMode" | "networks"> {
  const { project, oneOff } = context;
  const mode = service.network_mode;
  if (mode !== undefined) {
    if (mode.startsWith("service:"))
      return { networkMode: `container:${context.containerOf(mode.slice("service:".length))}`, networks: {} };
    return { networkMode: mode, networks: {} };
  }
  const entries = Object.entries(service.networks ?? { default: null });
  const rank = (settings: (typeof entries)[number][1]): number => settings?.gw_priority ?? settings?.priority ?? 0;
  const sorted = entries.toSorted(
    ([leftKey, left], [rightKey, right]) => rank(right) - rank(left) || (leftKey < rightKey ? -1 : 1),
  );
  const linked = linkAliases(project, service);
  const networks = sorted.map(([key, settings]): readonly [string, EndpointRequest] => [
    project.networks[key]?.name ?? `${project.name}_${key}`,
    {
      aliases:
        oneOff?.useAliases === false
          ? []
          : [
              ...new Set([
                containerName(project, service, context.number, context.separator),
                service.name,
                ...(settings?.aliases ?? []),
                ...linked,
              ]),
            ],
      ...given("ipv4", settings?.ipv4_address),
      ...given("ipv6", settings?.ipv6_address),
      ...given("macAddress", settings?.mac_address ?? (key === sorted[0]?.[0] ? service.mac_address : undefined)),
    },
  ]);
  return { networkMode: networks[0]?.[0] ?? "none", networks: Object.fromEntries(networks) };
}

/** The names that other services' `links` give this one: they are seen by all on its networks. */
function linkAliases(project: Project, { name }: Service): readonly string[] {
  return Object.values(project.services).flatMap(({ links = [] }) =>
    links.flatMap((link) => {
      const [target, alias] = link.split(":");
      return target === name && alias !== undefined ? [alias] : [];
    }),
  );
}

/** `service:NAME` is the container of it; what the engine does not know, it refuses itself. */
function namespaceMode(value: string | undefined, context: RequestContext): string | undefined {
  return value?.startsWith("service:") === true ? `container:${context.containerOf(value.slice("service:".length))}` : value;
}

function healthcheck({ healthcheck: check }: Service): ContainerRequest["healthcheck"] {
  if (check === undefined) return undefined;
  if (check.disable === true || check.test?.[0] === "NONE") return "none";
  const nanoseconds = (milliseconds: number | undefined): number | undefined =>
    milliseconds === undefined ? undefined : Math.round(milliseconds * 1e6);
  return {
    ...given("Test", check.test === undefined ? undefined : [...check.test]),
    ...given("Interval", nanoseconds(check.interval)),
    ...given("Timeout", nanoseconds(check.timeout)),
    ...given("StartPeriod", nanoseconds(check.start_period)),
    ...given("StartInterval", nanoseconds(check.start_interval)),
    ...given("Retries", check.retries),
  };
}

function restartPolicy({ name: service, restart, deploy }: Service): RestartPolicy {
  if (restart !== undefined) {
    const [name = "", retries = "0"] = restart.split(":");
    if (!["no", "always", "on-failure", "unless-stopped"].includes(name) || !/^\d+$/.test(retries))
      throw new VarveError("SERVICE_INVALID", `invalid restart policy "${restart}" of service "${service}"`);
    return { name: name as RestartPolicy["name"], maximumRetries: Number(retries) };
  }
  const policy = deploy?.restart_policy;
  if (policy === undefined || policy.condition === "none") return { name: "no", maximumRetries: 0 };
  if (policy.condition === "on-failure") return { name: "on-failure", maximumRetries: policy.max_attempts ?? 0 };
  return { name: "always", maximumRetries: 0 };
}

function exposedPorts({ expose = [], ports = [] }: Service): readonly string[] {
  const own = expose.map((port) => (port.includes("/") ? port : `${port}/tcp`));
  return [...new Set([...own, ...ports.map(({ target, protocol = "tcp" }) => `${target}/${protocol}`)])];
}

const sizeUnits: Readonly<Record<string, number>> = { "": 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

function logging({ name, logging: settings }: Service): HostConfig["log"] | undefined {
  if (settings === undefined) return undefined;
  const { driver = "json-file", options = {} } = settings;
  if (driver !== "json-file" && driver !== "none")
    throw new VarveError("SERVICE_UNSUPPORTED", `service "${name}" uses logging.driver ${driver}, which Varve does not support`);
  for (const option of Object.keys(options))
    if (option !== "max-size" && option !== "max-file")
      throw new VarveError(
        "SERVICE_UNSUPPORTED",
        `service "${name}" uses logging.options.${option}, which Varve does not support`,
      );
  const size = /^(\d+)([bkmg]?)$/i.exec(options["max-size"] ?? "");
  if (options["max-size"] !== undefined && size === null)
    throw new VarveError("SERVICE_INVALID", `invalid max-size "${options["max-size"]}" of service "${name}"`);
  return {
    driver,
    ...given("maxBytes", size === null ? undefined : Number(size[1]) * (sizeUnits[(size[2] ?? "").toLowerCase()] ?? 1)),
    ...given("maxFiles", options["max-file"] === undefined ? undefined : Number(options["max-file"])),
  };
}

function given<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}
