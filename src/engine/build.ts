import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { builderArgs } from "../dockerfile/index.ts";
import { VarveError } from "../errors/index.ts";
import type { EventSink, VertexEvent } from "../events/index.ts";
import type { PlatformResult } from "../exporters/index.ts";
import { createRef, type Recorder } from "../history/index.ts";
import { entitlementSet, type Entitlement } from "../ops/index.ts";
import { createContextFolders } from "../sources/index.ts";
import type { BuildCaches } from "./build-caches.ts";
import { withBuildInput, type OpenInput, type Reporting } from "./compile-input.ts";
import { compilePlatforms } from "./compile-platforms.ts";
import { createEventStream } from "./event-stream.ts";
import { explainBuild, type BuildExplainer } from "./explain-build.ts";
import { explainError } from "./explain-error.ts";
import { exportOutputs } from "./export-outputs.ts";
import { makesBlobs, readsFiles } from "./exporting.ts";
import type { Parts } from "./parts.ts";
import { untoldOnly } from "./fetch-context.ts";
import { completed, failed, startRecord } from "./record-build.ts";
import { withinQuota } from "./quota.ts";
import { solveGraph } from "./solve-graph.ts";
import type { BuildOptions, BuildResult, BuildRun, BuildStep, BuildWarning } from "./types.ts";

type RunningOptions = BuildOptions & { readonly signal: AbortSignal; readonly ref: string };
type Made = Omit<BuildResult, "warnings" | "ref" | "steps">;

/** Starts a build at once. The run is its result's promise and the stream of its events. */
export function startBuild(needParts: () => Parts, given: BuildOptions & { readonly signal: AbortSignal }): BuildRun {
  const ref = createRef();
  const options = { ...given, ref };
  const events = createEventStream();
  const warnings: BuildWarning[] = [];
  let recorder: Recorder | undefined;
  const steps: BuildStep[] = [];
  const emit: EventSink = (event) => {
    if (event.type === "vertex" && event.completed !== undefined && event.cached !== undefined) steps.push(stepOf(event));
    events.emit(event);
    recorder?.take(event);
  };
  const reporting: Reporting = {
    emit,
    warn(warning, vertex) {
      warnings.push(warning);
      const { description, ...facts } = warning;
      emit({
        type: "warning",
        time: Date.now(),
        ...(vertex === undefined ? {} : { vertex }),
        ...facts,
        ...(description === undefined ? {} : { detail: description }),
      });
    },
  };
  const result = (async () => {
    const parts = needParts();
    refuseWithoutRoom(parts);
    recorder = startRecord(parts, options, reporting);
    try {
      const made = { ...(await build(parts, options, reporting)), ref, warnings, steps };
      recorder.finish(completed(made, options));
      return made;
    } catch (error) {
      recorder.finish(failed(error));
      throw error;
    }
  })().finally(events.end);
  // Whoever only reads the events learns of a failure from them; the promise must not count as unhandled then.
  result.catch(() => undefined);
  return Object.assign(result, { ref, [Symbol.asyncIterator]: () => events[Symbol.asyncIterator]() });
}

/** Refused before a row is written: the room of the reserve is for removals. */
function refuseWithoutRoom({ state, root }: Parts): void {
  if (!state.usesReserve) return;
  throw new VarveError("DISK_FULL", `no room is left on the disk of the store ${root}`, {
    hint: "free some space, for example with varve builder prune",
  });
}

function stepOf({ vertex, name, cached = false, reason }: VertexEvent): BuildStep {
  return { vertex, name, cached, ...(reason === undefined ? {} : { reason }) };
}

async function build(parts: Parts, options: RunningOptions, reporting: Reporting): Promise<Made> {
  const { emit } = reporting;
  await using caches = asksForCaches(options)
    ? (await import("./build-caches.ts")).openBuildCaches(options, parts, reporting)
    : undefined;
  return await withBuildInput(parts, options, {
    emit,
    async work(input) {
      try {
        return await compileAndRun(parts, input, options, { ...reporting, caches });
      } catch (error) {
        throw explainError(error, input);
      }
    },
  });
}

async function compileAndRun(
  parts: Parts,
  input: OpenInput,
  options: RunningOptions,
  reporting: Reporting & { readonly caches: BuildCaches | undefined },
): Promise<Made> {
  const { signal } = options;
  const { emit, caches } = reporting;
  const { dockerfile, isMulti, results: compiled, graph } = await compilePlatforms(parts, input, options, reporting);
  const path = input.contextPath ?? join(parts.root, "empty");
  if (input.contextPath === undefined) mkdirSync(path, { recursive: true });
  using folders = createContextFolders({ state: parts.state });
  const locals = new Map([...input.named.locals, ["context", { path }]]);
  const { layouts } = input.named;
  const { secrets, agents, pins } = input.session;
  const untold = untoldOnly(emit, input.fetched?.told ?? new Set());
  const explain = explainBuild(parts, { graph, dockerfile, input, options });
  const solving = solveGraph(graph, parts, {
    folders,
    locals,
    layouts,
    pins,
    secrets,
    agents,
    allowed: allowedIn(options),
    explain,
    readsResults: (options.outputs ?? []).some(readsFiles),
    ...caches?.solving,
    emit: untold,
    signal,
  });
  const stacks = await solving.finally(() => remember(explain, reporting));
  const results: PlatformResult[] = [];
  for (const [index, { platform, image, epochSeconds }] of compiled.entries()) {
    const stack = stacks[index] ?? { kind: "stack", layers: [] };
    const config = (await caches?.imageConfig(image, stack)) ?? image;
    results.push({ platform, stack, config, ...(epochSeconds === undefined ? {} : { epochSeconds }) });
  }
  const exporting = (within: AbortSignal) =>
    exportOutputs(results, parts, { ...options, signal: within, multiPlatform: isMulti }, emit);
  // of a build that is all cached an archive alone makes layers in the store
  const packs = parts.worker.started || (options.outputs ?? []).some(makesBlobs);
  const made = await (packs ? withinQuota(parts, signal, exporting) : exporting(signal));
  return caches === undefined ? made : { ...made, metadata: { ...made.metadata, ...(await caches.export(stacks)) } };
}

/** Whether the build has anything to do with caches that travel; most have not, and load nothing for them. */
function asksForCaches({ cacheFrom = [], cacheTo = [], buildArgs = {} }: RunningOptions): boolean {
  return cacheFrom.length > 0 || cacheTo.length > 0 || Object.hasOwn(buildArgs, builderArgs.inlineCache);
}

/** What is not remembered is not explained next time; the build is none the worse for it. */
function remember(explain: BuildExplainer, { warn }: Reporting): void {
  try {
    explain.save();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    warn({ rule: "TraceNotWritten", message: `The next build cannot be compared with this one: ${why}` });
  }
}

/** A build that is to use the host's network is allowed to: buildx asks for the entitlement by itself too. */
function allowedIn({ allow = [], network }: BuildOptions): ReadonlySet<Entitlement> {
  return entitlementSet([...allow, ...(network === "host" ? (["network.host"] as const) : [])]);
}
