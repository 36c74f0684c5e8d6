import type { EventSink } from "../events/index.ts";
import { isVarveError } from "../errors/index.ts";
import { singleFlight } from "../flow/index.ts";
import type { Graph, Vertex } from "../llb/index.ts";
import { createOps, type Entitlement } from "../ops/index.ts";
import type { SecretStore, SshAgents } from "../secrets/index.ts";
import { isStack, type Ref, type StackRef } from "../snapshots/index.ts";
import { solve, type SolverEvent, type SolverVertex } from "../solver/index.ts";
import type { ContextFolders, ImageOrigin, Pins } from "../sources/index.ts";
import type { Parts } from "./parts.ts";

export interface SolveGraphOptions {
  readonly folders: ContextFolders;
  readonly locals: ReadonlyMap<string, { readonly path: string }>;
  readonly layouts: ReadonlyMap<string, ImageOrigin>;
  /** What URLs and refs stood for when this build first asked. */
  readonly pins: Pins;
  readonly secrets: SecretStore;
  readonly agents: SshAgents;
  readonly allowed: ReadonlySet<Entitlement>;
  readonly emit: EventSink;
  readonly signal: AbortSignal;
}

/** Solves a graph on this machine; undefined for an empty one. */
export async function solveGraph(graph: Graph, parts: Parts, options: SolveGraphOptions): Promise<StackRef | undefined> {
  if (!graph.result) return undefined;
  const { folders, locals, layouts, pins, secrets, agents, allowed, emit, signal } = options;
  const started = new Map<string, number>();
  const opFor = createOps({
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
    secrets,
    agents,
    allowed,
    materializing: singleFlight(),
    sources: graph.sources,
    onLog: (vertex, stream, data) => emit({ type: "log", time: Date.now(), vertex, stream, data }),
    onStatus: (vertex, { id, current, total, done }) => {
      const time = Date.now();
      const key = `${vertex} ${id}`;
      if (!started.has(key)) started.set(key, time);
      emit({
        type: "status",
        time,
        vertex,
        id,
        name: id,
        current,
        total,
        started: started.get(key) ?? time,
        ...(done ? { completed: time } : {}),
      });
    },
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
  const report = createReporter(vertices, emit);
  const { digest: id, index } = graph.result;
  const ref = await solve({ id, index }, { vertices, cache: parts.cache, signal, onEvent: report });
  if (ref && !isStack(ref)) throw new TypeError("the result of a build is a stack");
  return ref;
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

function createReporter(vertices: ReadonlyMap<string, SolverVertex<Ref>>, emit: EventSink): (event: SolverEvent) => void {
  const startTimes = new Map<string, number>();
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
    if (event.type === "started") emit(common);
    else if (event.type === "completed") emit({ ...common, completed: time, cached: event.cached });
    else emit({ ...common, completed: time, error: describe(event.error), canceled: event.canceled });
  };
}

function describe(error: unknown): string {
  return isVarveError(error) || error instanceof Error ? error.message : String(error);
}
