/** The parts of an OCI runtime-spec `config.json` that Varve writes (runtime-spec 1.0.2, config.md and config-linux.md). */
export interface OciSpec {
  readonly ociVersion: "1.0.2";
  readonly root: { readonly path: string; readonly readonly: boolean };
  /** Absent in the host's UTS namespace. */
  readonly hostname?: string;
  readonly domainname?: string;
  readonly process: OciProcess;
  readonly mounts: readonly OciMount[];
  readonly linux: OciLinux;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface OciProcess {
  readonly terminal: boolean;
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] };
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: OciCapabilities;
  /** `-1` is no limit; {@link writeSpec} writes it as the unsigned number that the specification wants. */
  readonly rlimits?: readonly { readonly type: string; readonly soft: number; readonly hard: number }[];
  readonly noNewPrivileges: boolean;
  readonly oomScoreAdj?: number;
}

export interface OciCapabilities {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
  readonly permitted: readonly string[];
  readonly inheritable: readonly string[];
  readonly ambient: readonly string[];
}

export interface OciMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface OciLinux {
  readonly namespaces: readonly OciNamespace[];
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly seccomp?: SeccompProfile;
  readonly devices?: readonly OciDevice[];
  readonly cgroupsPath?: string;
  readonly resources?: OciResources;
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly rootfsPropagation?: string;
}

export interface OciNamespace {
  readonly type: "pid" | "ipc" | "uts" | "mount" | "network" | "cgroup";
  /** One that exists; a new one otherwise. */
  readonly path?: string;
}

/** Limits; what is undefined has none (config-linux.md, "Control groups"). The runtimes translate the names of version 1 to version 2. */
export interface OciResources {
  readonly devices?: readonly OciDeviceRule[];
  readonly memory?: {
    readonly limit?: number;
    readonly reservation?: number;
    readonly swap?: number;
    readonly swappiness?: number;
    readonly disableOOMKiller?: boolean;
  };
  readonly cpu?: {
    readonly shares?: number;
    readonly quota?: number;
    readonly period?: number;
    readonly cpus?: string;
    readonly mems?: string;
  };
  readonly pids?: { readonly limit: number };
}

/** A device node that the runtime makes. */
export interface OciDevice {
  readonly path: string;
  readonly type: "b" | "c";
  readonly major: number;
  readonly minor: number;
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface OciDeviceRule {
  readonly allow: boolean;
  readonly type?: "a" | "b" | "c";
  /** Undefined: all. */
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
}

/** Names are those of libseccomp; a profile that a user brings may use all of them. */
export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  readonly syscalls: readonly SeccompRule[];
}

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArgument[];
}

export interface SeccompArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: string;
}

/** The text of a `config.json`. Unlimited rlimits become 2^64−1, which no JavaScript number holds. */
export function writeSpec(spec: OciSpec): string {
  const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };
  const limit = (value: number): unknown => (value === -1 ? rawJSON("18446744073709551615") : value);
  const { rlimits, ...process } = spec.process;
  if (rlimits === undefined) return JSON.stringify(spec);
  const written = rlimits.map(({ type, soft, hard }) => ({ type, soft: limit(soft), hard: limit(hard) }));
  return JSON.stringify({ ...spec, process: { ...process, rlimits: written } });
}
