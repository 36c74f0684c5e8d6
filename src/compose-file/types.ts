import type { SourceRange } from "../errors/index.ts";
import type { BuildSection } from "./build-types.ts";
import type { DeploySection, DeviceRequest, HealthcheckSection } from "./deploy-types.ts";

/*
 * The model of a project, every field in the Specification's long form and under the Specification's own name, so that
 * what is held is what `compose config` prints. A field that the files do not set, or set to the zero of its type (false,
 * 0, "", an empty list), is undefined; where absence and zero differ, the type says so. Paths are absolute.
 */

/** Milliseconds; a fraction is possible (`1500us` is 1.5). */
export type Milliseconds = number;
/** Bytes; -1 where the Specification lets it mean "no limit". */
export type Bytes = number;
/** Keys in the order of the files; null: the value comes from the environment, which had none. */
export type Environment = Readonly<Record<string, string | null>>;
export type StringMap = Readonly<Record<string, string>>;
/** `x-…` keys as they were written. */
export type Extensions = Readonly<Record<string, unknown>>;

/** A project: one set of Compose files, merged, interpolated, checked and normalised. */
export interface Project {
  /** `[a-z0-9][a-z0-9_-]*` */
  readonly name: string;
  /** The project's folder, absolute: what relative paths start from. */
  readonly workingDir: string;
  /** The files that it was made of, absolute, in order; `-` is stdin. Without those of include and extends. */
  readonly composeFiles: readonly string[];
  /** The `.env` files that were read, absolute. */
  readonly envFiles: readonly string[];
  /** What `${…}` could see: the caller's environment over the `.env` files, and COMPOSE_PROJECT_NAME. */
  readonly environment: StringMap;
  /** The profiles that are active. */
  readonly profiles: readonly string[];
  /** The active services, sorted by name. */
  readonly services: Readonly<Record<string, Service>>;
  /** Those that no active profile enables. */
  readonly disabledServices: Readonly<Record<string, Service>>;
  /** All that is declared, used or not; the `default` network is there only when a service uses it. */
  readonly networks: Readonly<Record<string, Network>>;
  readonly volumes: Readonly<Record<string, Volume>>;
  readonly secrets: Readonly<Record<string, FileObject>>;
  readonly configs: Readonly<Record<string, FileObject>>;
  readonly models: Readonly<Record<string, Model>>;
  readonly extensions: Extensions;
  /** What Docker Compose would warn of, in order, one sentence each; who prints them adds `WARNING`-words of its own. */
  readonly warnings: readonly ProjectWarning[];
}

export interface ProjectWarning {
  readonly message: string;
  readonly where?: SourceRange;
}

export interface Service {
  /** The key under `services`; no part of what is printed. */
  readonly name: string;
  readonly profiles?: readonly string[];
  readonly annotations?: StringMap;
  /** False: `up` shows no logs of it. */
  readonly attach?: boolean;
  readonly build?: BuildSection;
  readonly develop?: { readonly watch?: readonly WatchTrigger[] };
  readonly blkio_config?: BlockIo;
  readonly cap_add?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly cgroup_parent?: string;
  readonly cgroup?: string;
  readonly cpu_count?: number;
  readonly cpu_percent?: number;
  /** Microseconds. */
  readonly cpu_period?: number;
  /** Microseconds. */
  readonly cpu_quota?: number;
  readonly cpu_rt_period?: number;
  readonly cpu_rt_runtime?: number;
  readonly cpus?: number;
  readonly cpuset?: string;
  readonly cpu_shares?: number;
  /** Undefined: the image's. Empty: none, whatever the image says. */
  readonly command?: readonly string[];
  readonly configs?: readonly FileGrant[];
  readonly container_name?: string;
  readonly credential_spec?: { readonly config?: string; readonly file?: string; readonly registry?: string };
  /** With what links, volumes_from and `service:…` namespaces imply. */
  readonly depends_on?: Readonly<Record<string, Dependency>>;
  readonly deploy?: DeploySection;
  readonly device_cgroup_rules?: readonly string[];
  readonly devices?: readonly { readonly source: string; readonly target?: string; readonly permissions?: string }[];
  readonly dns?: readonly string[];
  readonly dns_opt?: readonly string[];
  readonly dns_search?: readonly string[];
  readonly domainname?: string;
  /** Undefined: the image's. Empty: none, whatever the image says. */
  readonly entrypoint?: readonly string[];
  readonly provider?: { readonly type?: string; readonly options?: Readonly<Record<string, readonly string[]>> };
  /** With what `env_file` gives, which `environment` wins over. */
  readonly environment?: Environment;
  /** Only where the files of the environment were not to be read (`--no-env-resolution`). */
  readonly env_file?: readonly EnvFile[];
  readonly expose?: readonly string[];
  readonly external_links?: readonly string[];
  /** `HOST=ADDRESS`, sorted. */
  readonly extra_hosts?: readonly string[];
  readonly group_add?: readonly string[];
  readonly gpus?: readonly DeviceRequest[];
  readonly hostname?: string;
  readonly healthcheck?: HealthcheckSection;
  readonly image?: string;
  /** Undefined is the engine's default, which false is not. */
  readonly init?: boolean;
  readonly ipc?: string;
  readonly isolation?: string;
  readonly labels?: StringMap;
  readonly label_file?: readonly string[];
  /** `SERVICE` or `SERVICE:ALIAS`. */
  readonly links?: readonly string[];
  readonly logging?: { readonly driver?: string; readonly options?: StringMap };
  readonly mem_limit?: Bytes;
  readonly mem_reservation?: Bytes;
  /** -1: no limit. */
  readonly memswap_limit?: Bytes;
  readonly mem_swappiness?: number;
  readonly mac_address?: string;
  readonly models?: Readonly<Record<string, { readonly endpoint_var?: string; readonly model_var?: string } | null>>;
  /** `none`, `host`, `bridge`, `service:NAME`, `container:NAME`, or a network's name. */
  readonly network_mode?: string;
  /** `default: null` where the files name none; undefined only with `network_mode` or `provider`. */
  readonly networks?: Readonly<Record<string, ServiceNetwork | null>>;
  readonly oom_kill_disable?: boolean;
  readonly oom_score_adj?: number;
  readonly pid?: string;
  readonly pids_limit?: number;
  readonly platform?: string;
  readonly ports?: readonly Port[];
  readonly privileged?: boolean;
  /** `always never missing build refresh daily weekly every_…`; `if_not_present` is given as `missing`. */
  readonly pull_policy?: string;
  readonly pull_refresh_after?: string;
  readonly read_only?: boolean;
  /** `no`, `always`, `unless-stopped`, `on-failure`, `on-failure:N`. */
  readonly restart?: string;
  readonly runtime?: string;
  /** How many containers; `deploy.replicas` counts too, see `scaleOf`. 0 is a number as any other. */
  readonly scale?: number;
  readonly secrets?: readonly FileGrant[];
  readonly security_opt?: readonly string[];
  readonly shm_size?: Bytes;
  readonly stdin_open?: boolean;
  readonly stop_grace_period?: Milliseconds;
  readonly stop_signal?: string;
  readonly storage_opt?: StringMap;
  readonly sysctls?: StringMap;
  /** `PATH` or `PATH:OPTIONS`. */
  readonly tmpfs?: readonly string[];
  readonly tty?: boolean;
  readonly ulimits?: Readonly<Record<string, Ulimit>>;
  readonly use_api_socket?: boolean;
  readonly user?: string;
  readonly userns_mode?: string;
  readonly uts?: string;
  readonly volumes?: readonly Mount[];
  /** `SERVICE[:ro|rw]` or `container:NAME[:ro|rw]`. */
  readonly volumes_from?: readonly string[];
  readonly working_dir?: string;
  readonly pre_start?: readonly Hook[];
  readonly post_start?: readonly Hook[];
  readonly pre_stop?: readonly Hook[];
  readonly [extension: `x-${string}`]: unknown;
}

export interface Dependency {
  readonly condition: "service_started" | "service_healthy" | "service_completed_successfully";
  /** Restart the service when the one it depends on is restarted. */
  readonly restart?: boolean;
  /** False: only a warning when the other service is not there. */
  readonly required: boolean;
}

export interface EnvFile {
  readonly path: string;
  /** Undefined means true. */
  readonly required?: boolean;
  readonly format?: string;
}

/** One number, or a pair. */
export type Ulimit = number | { readonly soft: number; readonly hard: number };

export interface Port {
  readonly name?: string;
  readonly mode?: string;
  readonly host_ip?: string;
  /** The container's. */
  readonly target: number;
  /** The host's: a number or a range `8000-8010`; undefined: any free one. */
  readonly published?: string;
  readonly protocol?: string;
  readonly app_protocol?: string;
}

export interface Mount {
  readonly type: "bind" | "volume" | "tmpfs" | "npipe" | "cluster" | "image";
  /** A key of the project's volumes, an absolute path, an image; undefined: an anonymous volume, a tmpfs. */
  readonly source?: string;
  readonly target: string;
  readonly read_only?: boolean;
  readonly consistency?: string;
  readonly bind?: {
    readonly selinux?: string;
    readonly propagation?: string;
    /** Undefined means true. */
    readonly create_host_path?: boolean;
    readonly recursive?: string;
  };
  readonly volume?: { readonly labels?: StringMap; readonly nocopy?: boolean; readonly subpath?: string };
  readonly tmpfs?: { readonly size?: Bytes; readonly mode?: number };
  readonly image?: { readonly subpath?: string };
}

/** A secret or config that a service is given. */
export interface FileGrant {
  /** A key of the project's secrets or configs. */
  readonly source: string;
  /** Secrets of containers: always an absolute path or a name below `/run/secrets`. Configs: undefined is `/SOURCE`. */
  readonly target?: string;
  readonly uid?: string;
  readonly gid?: string;
  /** Permission bits, e.g. 0o440. */
  readonly mode?: number;
}

export interface ServiceNetwork {
  readonly aliases?: readonly string[];
  readonly driver_opts?: StringMap;
  readonly gw_priority?: number;
  readonly interface_name?: string;
  readonly ipv4_address?: string;
  readonly ipv6_address?: string;
  readonly link_local_ips?: readonly string[];
  readonly mac_address?: string;
  readonly priority?: number;
}

export interface Hook {
  readonly command?: readonly string[];
  readonly image?: string;
  readonly user?: string;
  readonly privileged?: boolean;
  readonly working_dir?: string;
  readonly environment?: Environment;
  readonly per_replica?: boolean;
}

export interface WatchTrigger {
  readonly path: string;
  readonly action: "sync" | "rebuild" | "restart" | "sync+restart" | "sync+exec";
  readonly target?: string;
  readonly exec?: Hook;
  readonly include?: readonly string[];
  readonly ignore?: readonly string[];
  readonly initial_sync?: boolean;
}

export interface BlockIo {
  readonly weight?: number;
  readonly weight_device?: readonly { readonly path: string; readonly weight: number }[];
  readonly device_read_bps?: readonly { readonly path: string; readonly rate: Bytes }[];
  readonly device_read_iops?: readonly { readonly path: string; readonly rate: number }[];
  readonly device_write_bps?: readonly { readonly path: string; readonly rate: Bytes }[];
  readonly device_write_iops?: readonly { readonly path: string; readonly rate: number }[];
}

export interface Network {
  /** What it is called outside of the project: `PROJECT_KEY` unless the files say otherwise. */
  readonly name: string;
  readonly driver?: string;
  readonly driver_opts?: StringMap;
  readonly ipam?: {
    readonly driver?: string;
    readonly config?: readonly {
      readonly subnet?: string;
      readonly gateway?: string;
      readonly ip_range?: string;
      readonly aux_addresses?: StringMap;
    }[];
    readonly options?: StringMap;
  };
  /** Somebody else's: it must be there, and is neither made nor removed. */
  readonly external?: boolean;
  readonly internal?: boolean;
  readonly attachable?: boolean;
  readonly labels?: StringMap;
  readonly enable_ipv4?: boolean;
  readonly enable_ipv6?: boolean;
}

export interface Volume {
  readonly name: string;
  readonly driver?: string;
  readonly driver_opts?: StringMap;
  readonly external?: boolean;
  readonly labels?: StringMap;
}

/** A secret or config of the project: exactly one of `file`, `environment`, `content`, `external` says where from. */
export interface FileObject {
  readonly name: string;
  /** Absolute. */
  readonly file?: string;
  /** The variable whose value it is; look it up in `Project.environment`. */
  readonly environment?: string;
  /** Configs only. */
  readonly content?: string;
  readonly external?: boolean;
  readonly labels?: StringMap;
  readonly driver?: string;
  readonly driver_opts?: StringMap;
  readonly template_driver?: string;
}

export interface Model {
  readonly name?: string;
  readonly model?: string;
  readonly context_size?: number;
  readonly runtime_flags?: readonly string[];
}
