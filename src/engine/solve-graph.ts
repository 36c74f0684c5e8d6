import type { EventSink, VertexEvent } from "../events/index.ts";
import { isVarveError } from "../errors/index.ts";
import { singleFlight } from "../flow/index.ts";
import type { Input, MergedGraph, Vertex } from "../llb/index.ts";
import { createOps, type Entitlement } from "../ops/index.ts";
import type { SecretStore, SshAgents } from "../secrets/index.ts";
import { isStack, type Ref, type StackRef } from "../snapshots/index.ts";
import { solve, type SolveOptions, type SolverEvent, type SolverVertex } from "../solver/index.ts";
import type { ContextFolders, ImageOrigin, Pins } from "../sources/index.ts";
import type { BuildExplainer } from "./explain-build.ts";
import type { OpenImports } from "./cache-imports.ts";
import { findUnread } from "./find-unread.ts";
import type { Parts } from "./parts.ts";
import { withinQuota } from "./quota.ts";
import { reportTransfers } from "./transfer-reports.ts";

export interface SolveGraphOptions {
  readonly folders: ContextFolders;
  readonly locals: ReadonlyMap<string, { readonly path: string }>;
  readonly layouts: ReadonlyMap<string, ImageOrigin>;
  /** What URLs and refs stood for when this build first asked. */
  readonly pins: Pins;
  readonly secrets: SecretStore;
  readonly agents: SshAgents;
  readonly allowed: ReadonlySet<Entitlement>;
  /** The cache to ask instead of the store's own. */
  readonly cacheFor?: OpenImports["cacheFor"];
  /** Gives a cache mount what it has elsewhere, before a step uses it. */
  readonly fillMount?: (id: string) => Promise<void>;
  readonly onSolved?: NonNullable<SolveOptions<Ref>["onSolved"]>;
  /** Absent where nothing is explained. */
  readonly explain?: BuildExplainer;
  /** Whether somebody reads the files of the results, too. */
  readonly readsResults?: boolean;
  readonly emit: EventSink;
  readonly signal: AbortSignal;
}

/** Solves graphs on this machine, what they share once; an empty one has an empty stack as result. */
export async function solveGraph(graph: MergedGraph, parts: Parts, options: SolveGraphOptions): Promise<readonly StackRef[]> {
  const targets = graph.results.filter((result): result is Input => result !== undefined);
  if (targets.length === 0) return graph.results.map(() => emptyStack);
  const { folders, locals, layouts, pins, secrets, agents, allowed, explain, emit, signal } = options;
  const onStatus = reportTransfers(emit);
  const opFor = createOps({
    within: (outer, step) => withinQuota(parts, outer, step),
    worker: parts.worker,
    snapshots: parts.snapshots,
    cache: parts.cache,
    images: parts.imageSource,
    http: parts.httpSource,
    git: parts.gitSource,
    content: parts.content,
    pins,
    cacheMounts: parts.cacheMounts.root,
    folders,
    locals,
    layouts,
    unread: findUnread(graph.vertices.values(), options.readsResults ? targets : []),
    secrets,
    agents,
    allowed,
    materializing: singleFlight(),
    sources: graph.sources,
    ...(explain && { contents: explain.contents }),
    ...(options.fillMount && { fillMount: options.fillMount }),
    onLog: (vertex, stream, data) => emit({ type: "log", time: Date.now(), vertex, stream, data }),
    onStatus,
  });
  const vertices = new Map<string, SolverVertex<Ref>>();
  for (const vertex of graph.vertices.values()) {
    vertices.set(vertex.digest, {
      id: vertex.digest,
      name: nameOf(vertex),
      inputs: vertex.op.inputs.map(({ digest, index }) => ({ id: digest, index })),
      ignoreCache: vertex.metadata.ignoreCache,
      op: opFor(vertex),
    });
  }
  announce(vertices, emit);
  const report = createReporter(vertices, emit, explain);
  const { cacheFor, onSolved } = options;
  const refs = await solve(
    targets.map(({ digest: id, index }) => ({ id, index })),
    {
      vertices,
      cache: cacheFor?.(onStatus) ?? parts.cache,
      signal,
      onEvent: report,
      ...(onSolved && { onSolved }),
      ...hooksOf(explain),
    },
  );
  const made = new Map(targets.map((target, place) => [target, refs[place]]));
  return graph.results.map((result) => {
    const ref = result && made.get(result);
    if (ref && !isStack(ref)) throw new TypeError("the result of a build is a stack");
    return ref ?? emptyStack;
  });
}

const emptyStack: StackRef = { kind: "stack", layers: [] };

function hooksOf(explain: BuildExplainer | undefined): Pick<SolveOptions<Ref>, "onKey" | "beforeRun" | "beforeInputs"> {
  if (explain === undefined) return {};
  const { onKey, beforeRun, beforeInputs } = explain;
  return { onKey, beforeRun, ...(beforeInputs && { beforeInputs }) };
}

function nameOf({ metadata, op }: Vertex): string {
  return metadata.description["llb.customname"] ?? (op.kind === "source" ? op.source.identifier : op.kind);
}

/** Tells all steps before the first one starts, so that a reader can say how many there are. */
function announce(vertices: ReadonlyMap<string, SolverVertex<Ref>>, emit: EventSink): void {
  const time = Date.now();
  for (const { id, name, inputs } of vertices.values()) {
    emit({ type: "vertex", time, vertex: id, name, inputs: inputs.map((input) => input.id) });
  }
}

function createReporter(
  vertices: ReadonlyMap<string, SolverVertex<Ref>>,
  emit: EventSink,
  explain: BuildExplainer | undefined,
): (event: SolverEvent) => void {
  const startTimes = new Map<string, number>();
  const reasonOf = (id: string): Pick<VertexEvent, "reason"> => {
    const reason = explain?.reasonOf(id);
    return reason === undefined ? {} : { reason };
  };
  const tellMore = (event: VertexEvent): void => {
    const reason = explain?.keepFiles(event.vertex);
    if (reason !== undefined) emit({ ...event, reason });
  };
  return (event) => {
    const vertex = vertices.get(event.vertex);
    if (!vertex) return;
    const { time } = event;
    if (event.type === "started") startTimes.set(vertex.id, time);
    const common = {
      type: "vertex" as const,
      time,
      vertex: vertex.id,
      name: vertex.name,
      inputs: vertex.inputs.map((input) => input.id),
      started: startTimes.get(vertex.id) ?? time,
    };
    if (event.type === "started") {
      emit({ ...common, ...reasonOf(vertex.id) });
      // not before the step is under way: a long list of files is made while the worker works
      if (explain?.reasonOf(vertex.id) !== undefined) setImmediate(() => tellMore(common));
      return;
    }
    explain?.ended(vertex.id, event.type === "completed" ? "done" : "failed");
    if (event.type === "completed") {
      tellMore(common);
      emit({ ...common, completed: time, cached: event.cached, ...(event.cached ? {} : reasonOf(vertex.id)) });
    } else
      emit({
        ...reasonOf(vertex.id),
        ...common,
        completed: time,
        error: describe(event.error),
        canceled: event.canceled,
      });
  };
}

function describe(error: unknown): string {
  return isVarveError(error) || error instanceof Error ? error.message : String(error);
}
