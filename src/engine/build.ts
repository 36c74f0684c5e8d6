import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { VarveError } from "../errors/index.ts";
import type { EventSink } from "../events/index.ts";
import { compileDockerfile, type FrontendResult } from "../frontend/index.ts";
import { parseDockerfile } from "../dockerfile/index.ts";
import { loadGraph } from "../llb/index.ts";
import { formatPlatform, hostPlatform, parsePlatform, type Platform } from "../oci/index.ts";
import type { StackRef } from "../snapshots/index.ts";
import { createContextFolders } from "../sources/index.ts";
import { readBuildInput, type BuildInput } from "./build-input.ts";
import { createEventStream } from "./event-stream.ts";
import { internalStep } from "./internal-step.ts";
import { exportOutputs } from "./export-outputs.ts";
import type { Parts } from "./parts.ts";
import { solveGraph } from "./solve-graph.ts";
import type { BuildOptions, BuildResult, BuildRun } from "./types.ts";
import { unpackContext } from "./unpack-context.ts";

/** Starts a build at once. The run is its result's promise and the stream of its events. */
export function startBuild(needParts: () => Parts, options: BuildOptions & { readonly signal: AbortSignal }): BuildRun {
  const events = createEventStream();
  const result = (async () => build(needParts(), options, events.emit))().finally(events.end);
  // Whoever only reads the events learns of a failure from them; the promise must not count as unhandled then.
  result.catch(() => undefined);
  return Object.assign(result, { [Symbol.asyncIterator]: () => events[Symbol.asyncIterator]() });
}

type Warning = BuildResult["warnings"][number];

async function build(parts: Parts, options: BuildOptions & { readonly signal: AbortSignal }, emit: EventSink): Promise<BuildResult> {
  const { signal } = options;
  signal.throwIfAborted();
  const platform = readPlatform(options.platforms);
  const emptyFolder = join(parts.root, "empty");
  const context = options.context.kind === "tar" ? await unpackContext(options.context.stream, parts, { signal, emit }) : undefined;
  try {
    const contextPath = context?.path ?? (options.context.kind === "folder" ? resolve(options.context.path) : undefined);
    const input = readBuildInput(contextPath, { ...pick(options, ["dockerfile"]), contained: context !== undefined });
    const warnings: Warning[] = [];
    const warn = (warning: Warning) => {
      warnings.push(warning);
      emit({ type: "warning", time: Date.now(), ...warning });
    };
    const compiled = await compile(parts, input, platform, options, emit, warn);
    if (contextPath === undefined) mkdirSync(emptyFolder, { recursive: true });
    using folders = createContextFolders({ state: parts.state });
    const graph = loadGraph(compiled.definition);
    const ref = await solveGraph(graph, parts, { folders, locals: new Map([["context", { path: contextPath ?? emptyFolder }]]), emit, signal });
    const stack: StackRef = ref ?? { kind: "stack", layers: [] };
    const epoch = readEpoch(options.buildArgs);
    const result = await exportOutputs(stack, compiled.image, parts, { ...options, ...(epoch === undefined ? {} : { epochSeconds: epoch }) }, emit);
    return { ...result, warnings };
  } finally {
    if (context) await context.remove();
  }
}

async function compile(
  parts: Parts,
  input: BuildInput,
  platform: Platform,
  options: BuildOptions & { readonly signal: AbortSignal },
  emit: EventSink,
  warn: (warning: Warning) => void,
): Promise<FrontendResult> {
  const { signal } = options;
  const parsed = await internalStep(`[internal] load build definition from ${input.dockerfileName}`, emit, async (status) => {
    status("transferring dockerfile:", input.dockerfile.length, 0, true);
    return parseDockerfile(input.dockerfile, { file: input.dockerfileName });
  });
  for (const warning of parsed.warnings) warn(warning);
  const compiled = await compileDockerfile(
    parsed.dockerfile,
    {
      platform,
      buildPlatform: nativePlatform(),
      ...pick(options, ["target", "buildArgs", "labels", "noCache", "extraHosts", "ulimits", "shmSizeBytes"]),
      ...(options.network === undefined ? {} : { networkMode: options.network }),
      ignorePatterns: input.ignorePatterns,
      resolveImage: (reference, request) =>
        internalStep(`[internal] load metadata for ${reference.domain}/${reference.path}:${reference.tag ?? "latest"}`, emit, async () => {
          try {
            const image = await parts.imageSource.resolve(reference, {
              platform: request.platform,
              pull: options.pull ?? false,
              signal,
              onWarning: (message) => warn({ rule: "RegistryUnreachable", message }),
            });
            return { reference: image.reference, digest: image.digest, config: image.config };
          } catch (error) {
            throw error instanceof VarveError ? error.at(request.where) : error;
          }
        }),
    },
    { signal },
  );
  for (const { rule, message, where } of compiled.warnings) warn({ rule, message, ...(where ? { where } : {}) });
  if (input.ignoreFile !== undefined) await internalStep(`[internal] load ${input.ignoreFile}`, emit, async () => undefined);
  return compiled;
}

function nativePlatform(): Platform {
  return hostPlatform(process.arch);
}

/** For now a build is for one platform, the machine's own. */
function readPlatform(platforms: readonly string[] | undefined): Platform {
  const native = nativePlatform();
  const wanted = (platforms ?? []).map((text) => parsePlatform(text, { host: native }));
  const foreign = wanted.find((platform) => formatPlatform(platform) !== formatPlatform(native));
  if (wanted.length > 1 || foreign) {
    throw new VarveError("PLATFORM_NOT_SUPPORTED_YET", `building for ${(platforms ?? []).join(", ")} is not supported yet`, {
      hint: `this machine builds for ${formatPlatform(native)}`,
    });
  }
  return native;
}

/** `SOURCE_DATE_EPOCH` as a number of seconds (A06); its other forms come later. */
function readEpoch(buildArgs: BuildOptions["buildArgs"]): number | undefined {
  const text = buildArgs?.["SOURCE_DATE_EPOCH"];
  if (text === undefined || text === "") return undefined;
  if (!/^\d{1,12}$/.test(text)) {
    throw new VarveError("DOCKERFILE_NOT_SUPPORTED_YET", `SOURCE_DATE_EPOCH=${text}: only a number of seconds is supported yet`);
  }
  return Number(text);
}

/** The named properties that are there: absent ones stay absent. */
function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): { [P in K]?: Exclude<T[P], undefined> } {
  return Object.fromEntries(keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]])) as { [P in K]?: Exclude<T[P], undefined> };
}
