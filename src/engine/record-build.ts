import { isAbsolute, resolve } from "node:path";
import { isVarveError, redactUrl } from "../errors/index.ts";
import {
  nameBuild,
  readCheckout,
  type Outcome,
  type RecordedError,
  type RecordedOptions,
  type Recorder,
} from "../history/index.ts";
import { formatPlatform } from "../oci/index.ts";
import { nativePlatform } from "./build-platforms.ts";
import type { Reporting } from "./compile-input.ts";
import type { Parts } from "./parts.ts";
import type { BuildOptions, BuildResult, NamedContext } from "./types.ts";

/** Begins the record of a build (U26). Where it cannot be written, the build is warned once and goes on. */
export function startRecord({ history }: Parts, options: BuildOptions & { readonly ref: string }, { warn }: Reporting): Recorder {
  const recorded = recordedOptions(options);
  const vcs = options.context.kind === "folder" ? readCheckout(recorded.context) : undefined;
  return history.record({
    ref: options.ref,
    name: nameBuild(recorded),
    options: recorded,
    ...(vcs === undefined ? {} : { vcs }),
    createdMs: Date.now(),
    onFault: (error) => {
      const why = error instanceof Error ? error.message : String(error);
      warn({ rule: "HistoryNotWritten", message: `The record of this build is incomplete: ${why}` });
    },
  });
}

export function completed(made: BuildResult, { platforms = [] }: BuildOptions): Outcome {
  const { imageId, sizeBytes, descriptor, tags } = made;
  // one index for all of them
  const platform = platforms.join(",") || formatPlatform(nativePlatform());
  return {
    status: "completed",
    result: {
      ...(imageId === undefined ? {} : { imageId }),
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
      manifests: descriptor === undefined ? [] : [{ platform, descriptor }],
      names: tags,
    },
  };
}

export function failed(error: unknown): Outcome {
  const isCanceled = isVarveError(error) ? error.kind === "canceled" : error instanceof Error && error.name === "AbortError";
  return { status: isCanceled ? "canceled" : "error", error: describeError(error) };
}

function describeError(error: unknown): RecordedError {
  if (!isVarveError(error)) return { code: "INTERNAL", message: error instanceof Error ? error.message : String(error) };
  const { code, message, hint, where } = error;
  return { code, message, ...(hint === undefined ? {} : { hint }), ...(where === undefined ? {} : { where }) };
}

function recordedOptions(options: BuildOptions): RecordedOptions {
  const { context, contexts = {}, buildArgs = {}, labels = {}, noCache, outputs, extraHosts, ulimits } = options;
  return filled({
    context: contextText(context),
    dockerfile: dockerfileText(options),
    target: options.target,
    platforms: options.platforms,
    contexts: mapValues(contexts, namedContextText),
    buildArgs: mapValues(buildArgs, withoutPassword),
    labels,
    tags: options.tags,
    noCache: noCache === false ? undefined : noCache,
    pull: options.pull === true ? true : undefined,
    network: options.network === "default" ? undefined : options.network,
    extraHosts: extraHosts?.map(({ host, ip }) => `${host}=${ip}`),
    shmSizeBytes: options.shmSizeBytes,
    ulimits: ulimits?.map(({ name, soft, hard }) => `${name}=${soft}:${hard}`),
    outputs: outputs?.map((output) => ({
      type: output.type,
      ...("dest" in output ? { dest: typeof output.dest === "string" ? output.dest : "-" } : {}),
      ...("rewriteTimestamp" in output && output.rewriteTimestamp === true ? { rewriteTimestamp: true as const } : {}),
      ...("sourceDateEpoch" in output && output.sourceDateEpoch !== undefined ? { sourceDateEpoch: output.sourceDateEpoch } : {}),
    })),
    secrets: Object.keys(options.secrets ?? {}),
    ssh: Object.keys(options.ssh ?? {}),
    allow: options.allow,
  });
}

function contextText(context: BuildOptions["context"]): string {
  switch (context.kind) {
    case "folder":
      return resolve(context.path);
    case "remote":
      return redactUrl(context.url);
    case "tar":
    case "empty":
      return "-";
  }
}

function dockerfileText({ context, dockerfile }: BuildOptions): string {
  if (dockerfile === undefined) return context.kind === "folder" ? resolve(context.path, "Dockerfile") : "Dockerfile";
  if ("url" in dockerfile) return redactUrl(dockerfile.url);
  if ("text" in dockerfile) return "-";
  return context.kind === "folder" || isAbsolute(dockerfile.path) ? resolve(dockerfile.path) : dockerfile.path;
}

/** In buildx's words. */
function namedContextText(context: NamedContext): string {
  switch (context.kind) {
    case "folder":
      return context.path;
    case "image":
      return `docker-image://${context.reference}`;
    case "oci-layout":
      return `oci-layout://${context.path}${context.tag === undefined ? "" : `:${context.tag}`}${context.digest === undefined ? "" : `@${context.digest}`}`;
    case "url":
      return redactUrl(context.url);
  }
}

/** Proxies come as build arguments, and some have a password in them. */
function withoutPassword(value: string): string {
  if (!value.includes("@") || !URL.canParse(value)) return value;
  const url = new URL(value);
  if (url.username === "" && url.password === "") return value;
  url.username = "";
  url.password = "";
  return url.href;
}

function mapValues<T>(values: Readonly<Record<string, T>>, map: (value: T) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}

/** Without what is undefined or an empty list or table. */
function filled(options: { readonly [K in keyof RecordedOptions]-?: RecordedOptions[K] | undefined }): RecordedOptions {
  const isFilled = (value: unknown): boolean =>
    value !== undefined && (typeof value !== "object" || value === null || Object.keys(value).length > 0);
  return Object.fromEntries(Object.entries(options).filter(([, value]) => isFilled(value))) as unknown as RecordedOptions;
}
