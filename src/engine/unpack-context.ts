import { mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { EventSink } from "../events/index.ts";
import { unpackContextTask } from "../layers/index.ts";
import { internalStep } from "./internal-step.ts";
import type { Parts } from "./parts.ts";

/** A context that came as an archive, in a folder of its own until the build is over. */
export interface UnpackedContext {
  readonly path: string;
  remove(): Promise<void>;
}

/** Unpacks a build context from a tar stream (X02). The worker does it: an archive is untrusted. */
export async function unpackContext(
  stream: AsyncIterable<Uint8Array>,
  parts: Parts,
  { signal, emit }: { readonly signal: AbortSignal; readonly emit: EventSink },
): Promise<UnpackedContext> {
  return internalStep("[internal] load remote build context", emit, async () => {
    const { digest } = await parts.content.ingest(stream, { signal });
    mkdirSync(join(parts.root, "ingest"), { recursive: true });
    const path = await mkdtemp(join(parts.root, "ingest", "context-"));
    const remove = async () => {
      await rm(path, { recursive: true, force: true });
      await parts.content.delete(digest);
    };
    try {
      await parts.worker.call(unpackContextTask, { tar: parts.content.pathOf(digest), target: path }, { signal });
    } catch (error) {
      await remove();
      throw error;
    }
    return { path, remove };
  });
}
