import type { Digest, HealthConfig, Platform } from "../oci/index.ts";

/** What a container is made of: what `docker create` is asked for, with everything of the image filled in. Kept as JSON in its row. */
export interface ContainerConfig {
  /** The image as it was asked for, familiar (`alpine`, `alpine:3.18`, an ID). */
  readonly image: string;
  readonly imageId: Digest;
  readonly platform: Platform;
  /** The program and its arguments: entrypoint and command of the request, or of the image. At least one. */
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** `NAME=value`, the image's first; later ones win. */
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Absolute; made when missing. "" is `/`. */
  readonly workingDir: string;
  /** `USER[:GROUP]` by name or id, looked up in the container's own files when it starts. "" is root. */
  readonly user: string;
  readonly hostname: string;
  readonly domainName?: string;
  readonly tty: boolean;
  /** Standard input stays open (`-i`). */
  readonly openStdin: boolean;
  /** Standard input ends with the first client that had it: true for `docker run -i` in the foreground. */
  readonly stdinOnce: boolean;
  /** A name such as SIGTERM, or a number. */
  readonly stopSignal: string;
  /** Until SIGKILL follows; undefined is 10 s. */
  readonly stopTimeoutS?: number;
  readonly healthcheck?: HealthConfig;
  /** `80/tcp`: of the image and of `--expose`. */
  readonly exposedPorts: readonly string[];
  readonly host: HostConfig;
}

/** What a container may use of this machine (the `HostConfig` of Docker's API). */
export interface HostConfig {
  readonly autoRemove: boolean;
  readonly restart: RestartPolicy;
  /** `default`, `bridge`, `host`, `none`, `container:ID` or the name of a network. */
  readonly networkMode: string;
  /** It was taken off the network of `networkMode`. */
  readonly leftNetworkMode?: boolean;
  /** Endpoint settings by the name of the network: one for `networkMode`, more where several were asked for. */
  readonly networks: Readonly<Record<string, EndpointRequest>>;
  readonly ports: readonly PortRequest[];
  /** Publish each exposed port at a free one of the host (`-P`). */
  readonly publishAll: boolean;
  readonly extraHosts: readonly { readonly host: string; readonly ip: string }[];
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly mounts: readonly MountRequest[];
  readonly readonlyRoot: boolean;
  readonly init: boolean;
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  /** As `--security-opt` takes them: `no-new-privileges`, `seccomp=unconfined`, … */
  readonly securityOpt: readonly string[];
  readonly devices: readonly { readonly host: string; readonly container: string; readonly access: string }[];
  readonly groupAdd: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly shmBytes?: number;
  readonly pidMode: "private" | "host" | `container:${string}`;
  readonly ipcMode: "private" | "host" | "shareable" | "none" | `container:${string}`;
  readonly utsMode: "private" | "host";
  /** Default: of its own with cgroups v2, the host's with v1. */
  readonly cgroupnsMode?: "private" | "host";
  /** `c 1:3 rwm`, as `--device-cgroup-rule` takes them. */
  readonly deviceCgroupRules?: readonly string[];
  /** For the OCI runtime. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly resources: Resources;
  readonly log: { readonly driver: "json-file" | "none"; readonly maxBytes?: number; readonly maxFiles?: number };
  readonly oomScoreAdj?: number;
  readonly cgroupParent?: string;
}

/** Limits of a container; what is undefined has none. */
export interface Resources {
  readonly memoryBytes?: number;
  readonly memoryReservationBytes?: number;
  /** Memory and swap together; −1 is no limit. */
  readonly memorySwapBytes?: number;
  /** In CPUs: 1.5. */
  readonly cpus?: number;
  readonly cpuShares?: number;
  readonly cpuPeriodUs?: number;
  readonly cpuQuotaUs?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly pidsLimit?: number;
  readonly oomKillDisable?: boolean;
  /** 0 to 100; only with cgroups v1. */
  readonly memorySwappiness?: number;
}

export interface RestartPolicy {
  readonly name: "no" | "always" | "on-failure" | "unless-stopped";
  /** Only `on-failure`; 0 is no limit. */
  readonly maximumRetries: number;
}

export interface EndpointRequest {
  readonly aliases: readonly string[];
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly macAddress?: string;
}

export interface PortRequest {
  readonly hostIp?: string;
  /** None: a free one is taken at each start. */
  readonly hostPort?: number;
  /** With `hostPort`: the first free one from there to here is taken. */
  readonly lastHostPort?: number;
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp";
}

export interface MountRequest {
  readonly type: "bind" | "volume" | "tmpfs" | "image";
  /** Of a bind: an absolute path of this machine; of a volume: its name, undefined for an anonymous one; of an image: as it was asked for. */
  readonly source?: string;
  /** Absolute. */
  readonly target: string;
  readonly readonly: boolean;
  /** `-v` makes a missing folder of the host, `--mount` refuses it; Compose pulls a missing image, `--mount` refuses it. */
  readonly createSource?: boolean;
  readonly propagation?: "private" | "rprivate" | "shared" | "rshared" | "slave" | "rslave";
  readonly nonRecursive?: boolean;
  /** Of a volume: what the image has there is not copied into it. */
  readonly noCopy?: boolean;
  readonly subpath?: string;
  /** Of an image that a container has: its snapshots, bottom first. */
  readonly imageLayers?: readonly number[];
  readonly volumeLabels?: Readonly<Record<string, string>>;
  readonly volumeOptions?: Readonly<Record<string, string>>;
  readonly tmpfsBytes?: number;
  /** Permission bits of a tmpfs. */
  readonly tmpfsMode?: number;
  readonly tmpfsOptions?: readonly string[];
}

export type ContainerStatus = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

export interface ContainerState {
  readonly status: ContainerStatus;
  /** Of the first process, as this machine counts; undefined when it does not run. */
  readonly pid?: number;
  /** The last run's; 0 before the first. 137 when its monitor was killed and nothing else is known. */
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** Why it could not be started, "" otherwise. */
  readonly error: string;
  /** Milliseconds since 1970. */
  readonly startedMs?: number;
  readonly finishedMs?: number;
  readonly restartCount: number;
  readonly health?: HealthState;
}

export interface HealthState {
  readonly status: "starting" | "healthy" | "unhealthy";
  readonly failingStreak: number;
  /** The last five. */
  readonly log: readonly {
    readonly startMs: number;
    readonly endMs: number;
    readonly exitCode: number;
    readonly output: string;
  }[];
}

/** A container as `docker inspect` knows it. */
export interface Container {
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** Without a slash. */
  readonly name: string;
  readonly createdMs: number;
  readonly config: ContainerConfig;
  readonly state: ContainerState;
  /** What it has of its networks while it runs, by name. */
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  /** Ports as they are published while it runs. */
  readonly ports: readonly (PortRequest & { readonly hostIp: string; readonly hostPort: number })[];
  /** Mounts as they were made: anonymous volumes have their names. */
  readonly mounts: readonly MountRequest[];
  /** Its folder in the store, absolute. */
  readonly folder: string;
  readonly logPath: string;
}

export interface Endpoint {
  readonly networkId: string;
  readonly ipv4: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly ipv6?: string;
  readonly ipv6PrefixLength?: number;
  readonly ipv6Gateway?: string;
  readonly macAddress: string;
  readonly aliases: readonly string[];
}

/** What a new container is asked for. What is undefined comes from the image, or is Docker's default. */
export type ContainerRequest = Partial<Omit<ContainerConfig, "imageId" | "platform" | "host" | "healthcheck">> & {
  readonly image: string;
  readonly name?: string;
  readonly platform?: string;
  /** Default `missing`. */
  readonly pull?: "always" | "missing" | "never";
  /** `"none"` switches the image's off; members that are undefined come from the image. */
  readonly healthcheck?: Partial<HealthConfig> | "none";
  readonly host?: Partial<HostConfig>;
};

/** What became of a container that was to be up. */
export interface Restored {
  readonly name: string;
  readonly error?: Error;
}

/**
 * The containers of a store. Names are names, IDs or unique prefixes of IDs; what does not exist is CONTAINER_NOT_FOUND. Fails with
 * CONTAINER_… codes whose messages are Docker's.
 */
export interface Containers {
  /** Every container, newest first, with its state as the kernel has it now. */
  list(): Promise<readonly Container[]>;
  get(name: string): Promise<Container>;
  /** Makes a container that does not run yet; pulls the image where `pull` says so. */
  create(
    request: ContainerRequest,
    options?: { readonly signal?: AbortSignal; readonly onPull?: PullListener },
  ): Promise<{ readonly id: string; readonly name: string; readonly warnings: readonly string[] }>;
  /** Starts what does not run. With `attach` the streams are connected before the first byte is written. */
  start(
    name: string,
    options?: { readonly attach?: AttachOptions; readonly signal?: AbortSignal },
  ): Promise<Attached | undefined>;
  /** The stop signal, and SIGKILL after the timeout (default: the container's own). */
  stop(
    name: string,
    options?: { readonly timeoutS?: number; readonly stopSignal?: string; readonly signal?: AbortSignal },
  ): Promise<void>;
  restart(
    name: string,
    options?: { readonly timeoutS?: number; readonly stopSignal?: string; readonly signal?: AbortSignal },
  ): Promise<void>;
  /** After a start of the machine: starts what its restart policy wants up, and does not run. */
  restore(options?: { readonly signal?: AbortSignal }): Promise<readonly Restored[]>;
  kill(name: string, options?: { readonly killSignal?: string }): Promise<void>;
  pause(name: string): Promise<void>;
  unpause(name: string): Promise<void>;
  remove(name: string, options?: { readonly force?: boolean; readonly volumes?: boolean }): Promise<void>;
  rename(name: string, newName: string): Promise<void>;
  /** Changes limits, also of one that runs, and its restart policy; what is left out stays as it is. */
  update(name: string, request: UpdateRequest): Promise<{ readonly warnings: readonly string[] }>;
  /** Puts it on one more network, at once where it runs. Messages are Docker's. */
  connect(
    name: string,
    network: string,
    options?: { readonly endpoint?: EndpointRequest; readonly signal?: AbortSignal },
  ): Promise<void>;
  /** Takes it off a network; with `force` also off one that is not there any more while it runs. */
  disconnect(name: string, network: string, options?: { readonly force?: boolean; readonly signal?: AbortSignal }): Promise<void>;
  /** Resolves to the exit code when the condition holds (default: it does not run). */
  wait(
    name: string,
    options?: { readonly until?: "not-running" | "next-exit" | "removed"; readonly signal?: AbortSignal },
  ): Promise<number>;
  attach(name: string, options: AttachOptions): Promise<Attached>;
  exec(name: string, request: ExecRequest, options?: { readonly signal?: AbortSignal }): Promise<Attached>;
  /** What it wrote; with `follow` until it ends. */
  logs(name: string, options?: LogsOptions): AsyncIterable<LogLine>;
  /** Rows of ps(1) with its columns' names, as seen from this machine. */
  top(
    name: string,
    psArguments?: readonly string[],
  ): Promise<{ readonly titles: readonly string[]; readonly rows: readonly (readonly string[])[] }>;
  stats(name: string): Promise<ContainerStats>;
  /** A tar of what is at a path in the container, running or not; links are followed inside the container only. */
  copyOut(
    name: string,
    path: string,
    options?: {
      readonly followLink?: boolean;
      /** What the archive's topmost entry is called; default the path's last component, `.` for `folder/.`. */
      readonly as?: string;
      readonly signal?: AbortSignal;
    },
  ): AsyncIterable<Uint8Array>;
  /** Unpacks a tar into a folder of the container. `keepOwners`: Docker's `-a`, which gives everything to the container's own user. */
  copyIn(
    name: string,
    path: string,
    archive: AsyncIterable<Uint8Array>,
    options?: { readonly keepOwners?: boolean; readonly signal?: AbortSignal },
  ): Promise<void>;
  /** Removes paths in the container with all that is below them, links themselves and not what they lead to. */
  removePaths(name: string, paths: readonly string[], options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** What lstat(2) tells of a path in the container, resolved inside it; undefined where there is nothing. */
  statPath(
    name: string,
    path: string,
    options?: { readonly followLink?: boolean; readonly signal?: AbortSignal },
  ): Promise<PathInfo | undefined>;
  /** What it changed of its image's files, by path; not what it wrote into mounts. */
  changes(name: string, options?: { readonly signal?: AbortSignal }): Promise<readonly ContainerChange[]>;
  /** Makes an image of it: its image's layers, and one with its changes. Mounts are no part of it. */
  commit(name: string, options?: CommitOptions): Promise<{ readonly id: Digest; readonly warnings: readonly string[] }>;
  /** A tar of all its files, as they are with nothing mounted over them. */
  export(name: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array>;
  /**
   * What happens to containers, from now on or since a time, as each command writes it down: `create`, `start`, `die`, … as Docker names
   * them. Of the past the last 1024 events are known. Ends at `untilMs`, or with an abort.
   */
  events(options?: EventsOptions): AsyncIterable<ContainerEvent>;
  /** What it wrote, and what its image has, in bytes. */
  size(name: string): Promise<{ readonly writtenBytes: number; readonly imageBytes: number }>;
  /** Removes containers that do not run; the IDs and the bytes that they took. */
  prune(options?: {
    readonly filters?: Readonly<Record<string, readonly string[]>>;
    /** Only say which. */
    readonly dryRun?: boolean;
  }): Promise<{ readonly removed: readonly string[]; readonly freedBytes: number }>;
}

export interface EventsOptions {
  /** Milliseconds since 1970. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly signal?: AbortSignal;
}

/** Something that happened to a container. */
export interface ContainerEvent {
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  /** The container's. */
  readonly id: string;
  readonly action: string;
  /** The container's labels, `image`, `name`, and what belongs to the action: `exitCode`, `signal`, `oldName` … */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface UpdateRequest {
  readonly resources?: Resources;
  readonly restart?: RestartPolicy;
}

/** A path that is another than in the image. */
export interface ContainerChange {
  readonly kind: "added" | "changed" | "deleted";
  readonly path: string;
}

export interface CommitOptions {
  /** The image's name; `latest` is added where the tag is missing. */
  readonly name?: string;
  readonly author?: string;
  readonly message?: string;
  /** Instructions of a Dockerfile that change the config: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR. */
  readonly changes?: readonly string[];
  /** Stop it while its files are read: default where it can be, true insists. */
  readonly pause?: boolean;
  readonly signal?: AbortSignal;
}

export type PullListener = (progress: { readonly text: string }) => void;

export interface PathInfo {
  readonly name: string;
  readonly sizeBytes: number;
  readonly mode: number;
  readonly kind: "file" | "directory" | "symlink" | "other";
  readonly linkTarget?: string;
  readonly modifiedMs: number;
}

/** What is left out: no input, both outputs. */
export interface AttachOptions {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  /** The terminal has it before the program starts. */
  readonly size?: TerminalSize;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** Streams connected to a container or to a process in it. */
export interface Attached {
  /** Writes to standard input; ends it. Only with `stdin`. */
  readonly stdin?: NodeJS.WritableStream;
  /** Chunks as they come; with a terminal all of them are stream 1. Ends when the process has ended or after `detach`. */
  readonly output: AsyncIterable<{ readonly stream: 1 | 2; readonly chunk: Uint8Array }>;
  /** Gives the terminal a size. */
  resize(size: TerminalSize): Promise<void>;
  /** Lets go: the process runs on. */
  detach(): void;
  /** Of the process, when it has ended. */
  readonly exitCode: Promise<number>;
}

export interface ExecRequest extends AttachOptions {
  readonly command: readonly string[];
  readonly tty?: boolean;
  readonly env?: readonly string[];
  readonly workingDir?: string;
  readonly user?: string;
  readonly privileged?: boolean;
  /** Nobody waits for it. */
  readonly detached?: boolean;
}

export interface LogsOptions {
  readonly follow?: boolean;
  /** The last so many lines. */
  readonly tail?: number;
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly signal?: AbortSignal;
}

export interface LogLine {
  /** Milliseconds since 1970, with a fraction. */
  readonly timeMs: number;
  /** RFC 3339 with nanoseconds, as it stands in the log. */
  readonly timestamp: string;
  readonly stream: 1 | 2;
  /** With its line end, where it has one. */
  readonly data: Uint8Array;
}

/** A moment's use of resources; what this machine does not count is undefined. */
export interface ContainerStats {
  readonly timeMs: number;
  /** Nanoseconds of CPU so far. */
  readonly cpuNs: number;
  readonly memoryBytes?: number;
  readonly memoryLimitBytes?: number;
  readonly receivedBytes?: number;
  readonly sentBytes?: number;
  readonly readBytes?: number;
  readonly writtenBytes?: number;
  readonly processes: number;
}
