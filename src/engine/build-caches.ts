import { builderArgs } from "../dockerfile/index.ts";
import type { ImageConfig } from "../oci/index.ts";
import type { StackRef } from "../snapshots/index.ts";
import type { SolvedVertex } from "../solver/index.ts";
import { exportCaches, withInlineCache, type SolvedBuild } from "./cache-exports.ts";
import { openImports } from "./cache-imports.ts";
import type { Reporting } from "./compile-input.ts";
import type { Parts } from "./parts.ts";
import type { SolveGraphOptions } from "./solve-graph.ts";
import type { BuildOptions } from "./types.ts";

type CacheOptions = Pick<BuildOptions, "cacheFrom" | "cacheTo" | "buildArgs" | "outputs"> & { readonly signal: AbortSignal };

/** The caches of one build that come from elsewhere and go elsewhere. */
export interface BuildCaches extends AsyncDisposable {
  /** What the solve of the build's graph is told. */
  readonly solving: Pick<SolveGraphOptions, "cacheFor" | "fillMount" | "onSolved">;
  /** The config of the build's image, with its cache in it where that was asked for. */
  imageConfig(config: ImageConfig, stack: StackRef): Promise<ImageConfig>;
  /** Writes the build's cache; gives what the build's metadata says of it. */
  export(stacks: readonly StackRef[]): Promise<Readonly<Record<string, unknown>>>;
}

/** Begins to read the imported caches. Once disposed of, nothing is read any more: a build that found all in its store does not wait for them. */
export function openBuildCaches(options: CacheOptions, parts: Parts, reporting: Reporting): BuildCaches {
  const { cacheFrom = [], cacheTo = [], outputs = [{ type: "image" }] } = options;
  const ending = new AbortController();
  const signal = AbortSignal.any([options.signal, ending.signal]);
  const opened = cacheFrom.length === 0 ? undefined : openImports(cacheFrom, parts, reporting, { signal });
  const isInline = asksInline(options) && outputs.some(({ type }) => ["image", "oci", "docker"].includes(type));
  let vertices: readonly SolvedVertex[] = [];
  const solved = (stacks: readonly StackRef[]): SolvedBuild => ({ vertices, stacks, imports: opened?.imports, signal });
  return {
    solving: {
      ...(opened && { cacheFor: opened.cacheFor, ...(opened.fillMount && { fillMount: opened.fillMount }) }),
      ...(cacheTo.length > 0 || isInline ? { onSolved: (found) => void (vertices = found) } : {}),
    },
    imageConfig: async (config, stack) => (isInline ? await withInlineCache({ config, stack }, solved([stack]), parts) : config),
    async export(stacks) {
      const manifest = await exportCaches(cacheTo, solved(stacks), parts, reporting);
      return manifest === undefined ? {} : { "cache.manifest": manifest };
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      await opened?.imports.ready;
    },
  };
}

/** `type=inline`, or the build argument that says the same; values that are neither true nor false count as false, as in BuildKit. */
function asksInline({ cacheTo = [], buildArgs = {} }: Omit<CacheOptions, "signal">): boolean {
  const given = Object.hasOwn(buildArgs, builderArgs.inlineCache) ? buildArgs[builderArgs.inlineCache] : undefined;
  return cacheTo.some(({ type }) => type === "inline") || /^(?:1|t|T|true|TRUE|True)$/.test(given ?? "");
}
