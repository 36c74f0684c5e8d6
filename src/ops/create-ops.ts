import { isVarveError, VarveError } from "../errors/index.ts";
import type { SingleFlight } from "../flow/index.ts";
import type { SourceInfo, Vertex } from "../llb/index.ts";
import type { Cache } from "../cache/index.ts";
import type { SecretStore, SshAgents } from "../secrets/index.ts";
import { isStack, type Ref, type SnapshotStore, type StackRef } from "../snapshots/index.ts";
import type { SolverOp } from "../solver/index.ts";
import type { ContentStore } from "../content/index.ts";
import type { ContextFolders, GitSource, HttpSource, ImageOrigin, ImageSource, Pins } from "../sources/index.ts";
import type { Worker } from "../worker/index.ts";
import type { Entitlement } from "./entitlements.ts";
import type { ContentObserver } from "./content.ts";
import { createExecOp } from "./exec-op.ts";
import { createFileOp } from "./file-op.ts";
import { createMergeOp } from "./merge-op.ts";
import { placeOf } from "./place.ts";
import { createSourceOp } from "./source-op.ts";

/** What ops need of the world. */
export interface OpsOptions {
  readonly worker: Worker;
  readonly snapshots: SnapshotStore;
  readonly cache: Cache;
  readonly images: ImageSource;
  readonly http: HttpSource;
  readonly git: GitSource;
  /** Where the bodies of URLs lie. */
  readonly content: Pick<ContentStore, "pathOf">;
  /** What URLs and refs stood for when this build first asked. */
  readonly pins: Pins;
  readonly folders: ContextFolders;
  /** Local sources by name (`local://NAME`). */
  readonly locals: ReadonlyMap<string, { readonly path: string }>;
  /** Image layout folders by name (`oci-layout://`, its attribute `oci.store`). */
  readonly layouts: ReadonlyMap<string, ImageOrigin>;
  /** The texts that the graph was made from, for error messages. */
  readonly sources: readonly SourceInfo[];
  /** Folders of the context being copied for a mount, by what is copied. */
  readonly materializing: SingleFlight<string, StackRef>;
  /** Vertices whose files nothing in this graph reads: images among them stay where they are. */
  readonly unread: ReadonlySet<string>;
  readonly secrets: SecretStore;
  readonly agents: SshAgents;
  readonly allowed: ReadonlySet<Entitlement>;
  /** Folder of the cache mounts. */
  readonly cacheMounts: string;
  /** Gives a cache mount what it has elsewhere, before a step that runs uses it. */
  readonly fillMount?: (id: string) => Promise<void>;
  /** Absent where nothing is explained. */
  readonly contents?: ContentObserver;
  /** Runs what writes to the store, within the limits of its size. */
  readonly within: <T>(signal: AbortSignal, step: (signal: AbortSignal) => Promise<T>) => Promise<T>;
  /** Takes the output of commands. */
  readonly onLog: (vertex: string, stream: 1 | 2, data: Uint8Array) => void;
  /** Takes the progress of transfers. */
  readonly onStatus: (
    vertex: string,
    status: { readonly id: string; readonly current: number; readonly total: number; readonly done: boolean },
  ) => void;
}

/**
 * Gives each vertex of a graph its meaning on this machine. Fails with OP_UNSUPPORTED for what cannot be done here. Failures
 * of what an op does carry its place in the Dockerfile.
 */
export function createOps(options: OpsOptions): (vertex: Vertex) => SolverOp<Ref> {
  return (vertex) => {
    const op = createOp(vertex, options);
    return {
      ...op,
      async exec(inputs, context) {
        try {
          return await options.within(context.signal, async (signal) => {
            await bringInputs(vertex, inputs, options, signal);
            return await op.exec(inputs, { ...context, signal });
          });
        } catch (error) {
          // What was stopped did not fail here.
          throw isVarveError(error) && !context.signal.aborted ? error.at(placeOf(vertex, options.sources)) : error;
        }
      },
    };
  };
}

/** Files of images that no earlier build needed. */
async function bringInputs(vertex: Vertex, inputs: readonly Ref[], { images, onStatus }: OpsOptions, signal: AbortSignal) {
  const { kind } = vertex.op;
  if (kind !== "exec" && kind !== "file") return;
  const layers = inputs.flatMap((input) => (isStack(input) ? input.layers : []));
  await images.bring(layers, { signal, onStatus: (status) => onStatus(vertex.digest, status) });
}

function createOp(vertex: Vertex, options: OpsOptions): SolverOp<Ref> {
  const { op } = vertex;
  switch (op.kind) {
    case "source":
      return createSourceOp(vertex, op.source, options);
    case "exec":
      return createExecOp(vertex, op.exec, options);
    case "file":
      return createFileOp(vertex, op.file, options);
    case "merge":
      return createMergeOp(op.merge);
    case "diff":
      throw new VarveError("OP_UNSUPPORTED", "diff operations are not supported yet");
  }
}
