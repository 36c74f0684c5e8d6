import { relative } from "node:path";
import type { BuildRecord } from "../../engine/index.ts";
import { formatExcerpt } from "../print-error.ts";
import { formatTime } from "../progress/rawjson.ts";

export interface NamedValue {
  readonly Name: string;
  readonly Value: string;
}

/** What `varve history inspect` says of a build: buildx's fields (U21), then those that only Varve has. Empty ones are empty. */
export interface InspectedBuild {
  readonly Name: string;
  readonly Ref: string;
  readonly Context: string;
  readonly Dockerfile: string;
  readonly VCSRepository: string;
  readonly VCSRevision: string;
  readonly Target: string;
  readonly Platform: readonly string[];
  readonly KeepGitDir: boolean;
  readonly NamedContexts: readonly NamedValue[];
  readonly StartedAt: string;
  readonly CompletedAt: string;
  /** Nanoseconds. */
  readonly Duration: number;
  /** `failed` for the status `error`, as buildx; `died` is Varve's. */
  readonly Status: string;
  readonly Error: InspectedError | undefined;
  readonly NumCompletedSteps: number;
  readonly NumTotalSteps: number;
  readonly NumCachedSteps: number;
  readonly BuildArgs: readonly NamedValue[];
  readonly Labels: readonly NamedValue[];
  readonly Config: InspectedConfig;
  readonly Tags: readonly string[];
  readonly Outputs: readonly string[];
  readonly Secrets: readonly string[];
  readonly SSH: readonly string[];
  readonly Entitlements: readonly string[];
  readonly NumWarnings: number;
  readonly ImageID: string;
  readonly Manifests: readonly { readonly Platform: string; readonly Digest: string; readonly Size: number }[];
  readonly Pinned: boolean;
  /** The log could not all be written. */
  readonly Incomplete: boolean;
}

export interface InspectedError {
  /** gRPC's: 1 canceled, 2 another. */
  readonly Code: number;
  readonly VarveCode: string;
  readonly Message: string;
  readonly Hint: string;
  /** The step that failed and its last lines. */
  readonly Name: string;
  readonly Logs: readonly string[];
  /** The excerpt of the Dockerfile, base64. */
  readonly Sources: string;
}

interface InspectedConfig {
  readonly Network: string;
  readonly ExtraHosts: readonly string[];
  readonly ImageResolveMode: string;
  readonly MultiPlatform: boolean;
  readonly NoCache: boolean;
  readonly NoCacheFilter: readonly string[];
  readonly ShmSize: string;
  readonly Ulimit: string;
  readonly CacheMountNS: string;
  readonly DockerfileCheckConfig: string;
  readonly SourceDateEpoch: string;
  readonly SandboxHostname: string;
}

export interface InspectOptions {
  readonly cwd: string;
  readonly nowMs: number;
  /** Of the step that failed. */
  readonly failed: { readonly name: string; readonly lines: readonly string[] } | undefined;
}

/** Build arguments that are settings of the builder and shown as such. */
const settingArgs = [
  "BUILDKIT_CONTEXT_KEEP_GIT_DIR",
  "BUILDKIT_MULTI_PLATFORM",
  "BUILDKIT_CACHE_MOUNT_NS",
  "BUILDKIT_DOCKERFILE_CHECK",
  "SOURCE_DATE_EPOCH",
  "SANDBOX_HOSTNAME",
];

export function inspectBuild(record: BuildRecord, { cwd, nowMs, failed }: InspectOptions): InspectedBuild {
  const { options, steps, result, vcs, status, createdMs, completedMs } = record;
  const { buildArgs = {}, noCache } = options;
  const arg = (name: string): string => buildArgs[name] ?? "";
  return {
    Name: record.name,
    Ref: record.ref,
    Context: shorten(options.context, cwd),
    Dockerfile: options.context.startsWith("/") ? shorten(options.dockerfile, options.context) : options.dockerfile,
    VCSRepository: vcs?.source ?? "",
    VCSRevision: vcs?.revision ?? "",
    Target: options.target ?? "",
    Platform: options.platforms ?? [],
    KeepGitDir: isTrue(arg("BUILDKIT_CONTEXT_KEEP_GIT_DIR")),
    NamedContexts: namedValues(options.contexts),
    StartedAt: formatTime(createdMs),
    CompletedAt: completedMs === undefined ? "" : formatTime(completedMs),
    Duration: Math.max(0, (completedMs ?? nowMs) - createdMs) * 1_000_000,
    Status: status === "error" ? "failed" : status,
    Error: inspectError(record, failed),
    NumCompletedSteps: steps.completed,
    NumTotalSteps: steps.total,
    NumCachedSteps: steps.cached,
    BuildArgs: namedValues(buildArgs).filter(({ Name }) => !settingArgs.includes(Name)),
    Labels: namedValues(options.labels),
    Config: {
      Network: options.network ?? "",
      ExtraHosts: options.extraHosts ?? [],
      ImageResolveMode: options.pull === true ? "pull" : "local",
      MultiPlatform: isTrue(arg("BUILDKIT_MULTI_PLATFORM")),
      NoCache: noCache === true,
      NoCacheFilter: noCache === true || noCache === undefined ? [] : noCache,
      ShmSize: options.shmSizeBytes === undefined ? "" : String(options.shmSizeBytes),
      Ulimit: (options.ulimits ?? []).join(","),
      CacheMountNS: arg("BUILDKIT_CACHE_MOUNT_NS"),
      DockerfileCheckConfig: arg("BUILDKIT_DOCKERFILE_CHECK"),
      SourceDateEpoch: arg("SOURCE_DATE_EPOCH"),
      SandboxHostname: arg("SANDBOX_HOSTNAME"),
    },
    Tags: options.tags ?? [],
    Outputs: (options.outputs ?? []).map(({ type, dest }) => (dest === undefined ? `type=${type}` : `type=${type},dest=${dest}`)),
    Secrets: options.secrets ?? [],
    SSH: options.ssh ?? [],
    Entitlements: options.allow ?? [],
    NumWarnings: record.warnings,
    ImageID: result?.imageId ?? "",
    Manifests: (result?.manifests ?? []).map(({ platform, descriptor }) => ({
      Platform: platform,
      Digest: descriptor.digest,
      Size: descriptor.size,
    })),
    Pinned: record.pinned,
    Incomplete: record.incomplete === true,
  };
}

/** The excerpt that a failed build showed; empty where no place is known. */
export function formatSources({ error }: BuildRecord): string {
  return error?.where === undefined ? "" : `${formatExcerpt(error.where).join("\n")}\n\n`;
}

/** As Go's encoder leaves out what is empty; the numbers of steps stay, as in buildx. */
export function withoutEmpty(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const kept = Object.entries(value).filter(([key, field]) => /^Num(?!Warnings)|^Config$|^Ref$/.test(key) || !isEmpty(field));
  return Object.fromEntries(kept.map(([key, field]) => [key, withoutEmpty(field)]));
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === undefined || value === "" || value === false || value === 0;
}

function inspectError(record: BuildRecord, failed: InspectOptions["failed"]): InspectedError | undefined {
  const { error, status } = record;
  if (error === undefined) return undefined;
  return {
    Code: status === "canceled" ? 1 : 2,
    VarveCode: error.code,
    Message: error.message,
    Hint: error.hint ?? "",
    Name: failed?.name ?? "",
    Logs: failed?.lines ?? [],
    Sources: Buffer.from(formatSources(record)).toString("base64"),
  };
}

function namedValues(values: Readonly<Record<string, string>> = {}): readonly NamedValue[] {
  return Object.entries(values)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([Name, Value]) => ({ Name, Value }));
}

/** A path below a folder is shown from there. */
function shorten(path: string, folder: string): string {
  if (!path.startsWith("/")) return path;
  const short = relative(folder, path);
  if (short.startsWith("../")) return path;
  return short === "" ? "." : short;
}

function isTrue(text: string): boolean {
  return ["1", "t", "T", "TRUE", "true", "True"].includes(text);
}
