import { createLinter, findLintRule, type Dockerfile } from "../dockerfile/index.ts";
import { compileDockerfile, type FrontendOptions, type FrontendResult } from "../frontend/index.ts";
import { loadGraph, mergeGraphs, type MergedGraph } from "../llb/index.ts";
import type { Platform } from "../oci/index.ts";
import { nativePlatform, readBuildPlatforms } from "./build-platforms.ts";
import { frontendOptions, loadDockerfile, type OpenInput, type Reporting } from "./compile-input.ts";
import { internalStep } from "./internal-step.ts";
import type { Parts } from "./parts.ts";
import type { BuildOptions } from "./types.ts";

/** A Dockerfile compiled for each platform of a build. */
export interface CompiledBuild {
  readonly dockerfile: Dockerfile;
  readonly isMulti: boolean;
  /** In the order in which the platforms were asked for. */
  readonly results: readonly (Pick<FrontendResult, "image" | "epochSeconds"> & { readonly platform: Platform })[];
  /** What all of them need; its results are in the order of `results`. */
  readonly graph: MergedGraph;
}

/** Compiles the Dockerfile of a build, once for each platform, all at once. Lint is told of the first one only, as BuildKit does. */
export async function compilePlatforms(
  parts: Parts,
  input: OpenInput,
  options: BuildOptions & { readonly signal: AbortSignal },
  reporting: Reporting,
): Promise<CompiledBuild> {
  const { signal } = options;
  const { emit, warn } = reporting;
  const { wanted, isMulti } = readBuildPlatforms(options);
  const parsed = await loadDockerfile(input, options, reporting);
  const { dockerfile } = parsed;
  const common: FrontendOptions = {
    ...frontendOptions(parts, { input, parsed, options }, reporting),
    ...pick(options, ["labels", "noCache", "extraHosts", "ulimits", "shmSizeBytes"]),
    ...(options.network === undefined ? {} : { networkMode: options.network }),
  };
  const silent = { linter: createLinter({ skip: "all", experimental: [], error: false }) };
  const compiling = (wanted.length === 0 ? [undefined] : wanted).map(async (platform, index) => {
    const own = { ...common, ...(platform && { platform }), ...(index === 0 ? {} : silent) };
    const compiled = await compileDockerfile(dockerfile, own, { signal });
    return { ...compiled, platform: resultPlatform(platform, compiled) };
  });
  await Promise.allSettled(compiling);
  const compiled = await Promise.all(compiling);
  // the linter's own were told as they came
  for (const { rule, message } of compiled[0]?.warnings ?? []) if (findLintRule(rule) === undefined) warn({ rule, message });
  if (input.ignoreFile !== undefined) await internalStep(`[internal] load ${input.ignoreFile}`, emit, async () => undefined);
  const graph = mergeGraphs(compiled.map(({ definition }) => loadGraph(definition)));
  return { dockerfile, isMulti, results: compiled, graph };
}

/** What the result is listed as: the platform that was asked for; of Windows with the version that the base names. */
function resultPlatform(wanted: Platform | undefined, { image }: FrontendResult): Platform {
  const platform = wanted ?? nativePlatform();
  const osVersion = image["os.version"];
  const isVague = platform.os === "windows" && image.os === "windows" && platform.osVersion === undefined;
  return isVague && osVersion !== undefined && osVersion !== "" ? { ...platform, osVersion } : platform;
}

/** The named properties that are there: absent ones stay absent. */
function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): { [P in K]?: Exclude<T[P], undefined> } {
  return Object.fromEntries(keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]])) as {
    [P in K]?: Exclude<T[P], undefined>;
  };
}
