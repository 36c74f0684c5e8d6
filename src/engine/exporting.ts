import type { EventSink } from "../events/index.ts";
import type { PlatformResult } from "../exporters/index.ts";
import { formatReference, parseReference, withDefaultTag } from "../oci/index.ts";
import type { ReportStatus } from "./internal-step.ts";
import type { ImageMaker } from "./make-images.ts";
import type { ArchiveOutput, EngineOutput, ImageOutput, ImageSettings, Output } from "./output-types.ts";
import type { Parts } from "./parts.ts";

/** What outputs need of the build. */
export interface Exporting {
  readonly results: readonly PlatformResult[];
  readonly maker: ImageMaker;
  readonly parts: Parts;
  readonly emit: EventSink;
  readonly signal: AbortSignal;
}

/** Whether an output makes layer blobs, which take room in the store. */
export function makesBlobs(output: Output): output is ImageOutput | ArchiveOutput | EngineOutput {
  return output.type === "oci" || output.type === "docker" || (output.type === "image" && needsManifest(output));
}

/** Whether an output is made of the files of the result; others may know the layers of a base alone. */
export function readsFiles(output: Output): boolean {
  return output.type === "tar" || output.type === "local" || (output.type === "image" && output.unpack === true);
}

/** The store keeps images without manifests; these are wanted where something names them, or where they say more than defaults. */
export function needsManifest(output: ImageOutput): boolean {
  const { annotations = [], compression, ociMediaTypes, danglingNamePrefix } = output;
  const asks = [output.push, output.nameCanonical, output.rewriteTimestamp, output.forceCompression].includes(true);
  return asks || annotations.length > 0 || [compression, ociMediaTypes, danglingNamePrefix].some((value) => value !== undefined);
}

/** The files of all results are here afterwards. */
export async function bringFiles(
  { results, parts, signal }: Omit<Exporting, "maker" | "emit">,
  status: ReportStatus,
): Promise<void> {
  const layers = results.flatMap(({ stack }) => stack.layers);
  await parts.imageSource.bring(layers, {
    signal,
    onStatus: ({ id, current, total, done }) => status(id, current, total, done),
  });
}

/** Canonical, each once: those of the build, and those of the output. */
export function namesOf({ names = [] }: ImageSettings, tags: readonly string[]): string[] {
  return [...new Set([...tags, ...names.map((name) => formatReference(withDefaultTag(parseReference(name))))])];
}
