import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { builderArgs } from "../dockerfile/index.ts";
import { redactUrl, VarveError } from "../errors/index.ts";
import type { EventSink } from "../events/index.ts";
import { defineRemoteContext, httpContextFile, remoteContext, type RemoteContext } from "../frontend/index.ts";
import { loadGraph, mergeGraphs } from "../llb/index.ts";
import { createContextFolders, readHttpRequest } from "../sources/index.ts";
import { archiveStartBytes, detectArchive } from "../tar/index.ts";
import { internalStep } from "./internal-step.ts";
import type { Parts } from "./parts.ts";
import type { Session } from "./session.ts";
import { solveGraph } from "./solve-graph.ts";
import type { BuildOptions } from "./types.ts";

/** A context that was fetched, and lies in a snapshot. */
export interface FetchedContext {
  /** What the graph of the Dockerfile reads from. */
  readonly remote: RemoteContext;
  /** The folder with its files. */
  readonly path: string;
  /** The Dockerfile, where the URL is one: the context has no other file. */
  readonly dockerfile: string | undefined;
  /** The vertices whose progress was told already. */
  readonly told: ReadonlySet<string>;
}

interface FetchOptions {
  readonly session: Session;
  readonly emit: EventSink;
  readonly signal: AbortSignal;
}

/** Fetches a repository, or what is behind a URL, as the build's context (X03, X04). */
export async function fetchContext(
  url: string,
  { buildArgs = {} }: Pick<BuildOptions, "buildArgs">,
  parts: Parts,
  options: FetchOptions,
): Promise<FetchedContext> {
  const keepGitDir = readSwitch(
    Object.hasOwn(buildArgs, builderArgs.contextKeepGitDir) ? buildArgs[builderArgs.contextKeepGitDir] : undefined,
  );
  const remote = remoteContext(url, { keepGitDir });
  if (remote === undefined) {
    throw new VarveError(
      "CONTEXT_NOT_FOUND",
      `unable to prepare context: ${JSON.stringify(redactUrl(url))} is neither a Git repository nor a URL`,
    );
  }
  const told = new Set<string>();
  const path = await solveContext(remote, told, parts, options);
  if (remote.kind === "git") return { remote, path, dockerfile: undefined, told };
  if (detectArchive(readStart(join(path, httpContextFile))) === undefined)
    return { remote, path, dockerfile: httpContextFile, told };
  const unpacked = { ...remote, unpack: true };
  return { remote: unpacked, path: await solveContext(unpacked, told, parts, options), dockerfile: undefined, told };
}

/** The folder of the one snapshot that a context is. */
async function solveContext(
  remote: RemoteContext,
  told: Set<string>,
  parts: Parts,
  { session, emit, signal }: FetchOptions,
): Promise<string> {
  const graph = mergeGraphs([loadGraph(defineRemoteContext(remote))]);
  using folders = createContextFolders({ state: parts.state });
  const untold = untoldOnly(emit, new Set(told));
  const { secrets, agents, pins } = session;
  const [ref] = await solveGraph(graph, parts, {
    folders,
    locals: new Map(),
    layouts: new Map(),
    pins,
    secrets,
    agents,
    allowed: new Set(),
    emit: untold,
    signal,
  });
  for (const vertex of graph.vertices.keys()) told.add(vertex);
  const [layer, ...more] = ref?.layers ?? [];
  if (layer === undefined || more.length > 0) throw new TypeError("a fetched context is one snapshot");
  return parts.snapshots.fsPath(layer);
}

/** Leaves out the events of vertices that were told in an earlier graph of the same build. */
export function untoldOnly(emit: EventSink, told: ReadonlySet<string>): EventSink {
  return (event) => {
    if (!("vertex" in event) || event.vertex === undefined || !told.has(event.vertex)) emit(event);
  };
}

/** A Dockerfile behind a URL (`-f https://…`), at most 16 MiB. */
export async function fetchDockerfile(
  url: string,
  parts: Parts,
  { session, emit, signal }: FetchOptions,
): Promise<{ readonly text: Uint8Array; readonly name: string }> {
  return internalStep("[internal] load remote dockerfile", emit, async () => {
    const { digest, size } = await parts.httpSource.fetch(readHttpRequest(url, {}), {
      signal,
      secret: (id) => session.secrets.get(id),
    });
    if (size > maxDockerfileBytes) {
      const details = { limit: "maxDockerfileBytes", value: maxDockerfileBytes };
      throw new VarveError(
        "DOCKERFILE_TOO_LARGE",
        `${redactUrl(url)} has ${size} bytes, more than the limit maxDockerfileBytes of ${maxDockerfileBytes}`,
        { details },
      );
    }
    return { text: await parts.content.readAll(digest, { maxBytes: maxDockerfileBytes, signal }), name: "Dockerfile" };
  });
}

const maxDockerfileBytes = 16 * 1024 * 1024;

function readStart(path: string): Uint8Array {
  const file = openSync(path, "r");
  try {
    const start = Buffer.alloc(archiveStartBytes);
    return start.subarray(0, readSync(file, start, 0, start.length, 0));
  } finally {
    closeSync(file);
  }
}

/** As Go's strconv.ParseBool; anything else counts as not given, as in BuildKit. */
function readSwitch(text: string | undefined): boolean {
  return text !== undefined && /^(?:1|t|T|true|TRUE|True)$/.test(text);
}
