import { VarveError } from "../errors/index.ts";
import type { EventSink } from "../events/index.ts";
import {
  exportFolder,
  exportImage,
  exportTar,
  packImage,
  storeImage,
  withOutputFile,
  writeArchive,
  type ExportedImage,
  type PlatformResult,
} from "../exporters/index.ts";
import { familiarReference, formatReference, parseReference, withDefaultTag, type Descriptor } from "../oci/index.ts";
import type { StackRef } from "../snapshots/index.ts";
import { internalStep, type ReportStatus } from "./internal-step.ts";
import type { Parts } from "./parts.ts";
import type { BuildOptions, BuildResult, Output } from "./types.ts";

interface ExportRequest extends Pick<BuildOptions, "outputs" | "tags"> {
  /** The build's ref, for the metadata. */
  readonly ref: string;
  readonly signal: AbortSignal;
  /** An index, or a folder for each platform, even where there is one result (A11). */
  readonly multiPlatform: boolean;
}

/** Makes every output that was asked for, one after the other; the image store when nothing was. */
export async function exportOutputs(
  results: readonly PlatformResult[],
  parts: Parts,
  request: ExportRequest,
  emit: EventSink,
): Promise<Omit<BuildResult, "warnings" | "ref" | "steps">> {
  const [only] = results;
  if (only === undefined || request.multiPlatform)
    throw new VarveError("PLATFORM_NOT_SUPPORTED_YET", "outputs of several platforms are not supported yet");
  const { stack, config } = only;
  const tags = (request.tags ?? []).map((tag) => formatReference(withDefaultTag(parseReference(tag))));
  let image: ExportedImage | undefined;
  let descriptor: Descriptor | undefined;
  const needImage = async () =>
    (image ??= await exportImage({
      ...parts,
      stack,
      config,
      packing: packingOf(request),
      signal: request.signal,
      ...epochOf(only),
    }));
  for (const output of request.outputs ?? [{ type: "image" }]) {
    if (output.type === "cacheonly") continue;
    await internalStep(titleOf(output), emit, async (status) => {
      if (output.type === "tar" || output.type === "local") return exportFiles(output, stack, parts, request.signal, status);
      const exported = await needImage();
      const names = [...tags, ...(output.names ?? []).map((name) => formatReference(withDefaultTag(parseReference(name))))];
      if (output.type === "image") return putIntoStore(exported, names, parts, status);
      descriptor = await exportArchive(output, exported, names, parts, request.signal, status);
    });
  }
  return {
    ...(image ? { imageId: image.id, sizeBytes: image.layers.reduce((sum, { diffSize }) => sum + diffSize, 0) } : {}),
    ...(descriptor ? { descriptor } : {}),
    tags: tags.map((tag) => familiarReference(parseReference(tag))),
    metadata: metadataOf(image, descriptor, tags, request.ref),
  };
}

/** What the first archive among the outputs wants of layers. */
function packingOf({ outputs = [] }: ExportRequest): { readonly compression: "gzip" | "zstd" | "uncompressed" } | undefined {
  for (const output of outputs)
    if (output.type === "oci" || output.type === "docker") return { compression: output.compression ?? "gzip" };
  return undefined;
}

function epochOf({ epochSeconds }: PlatformResult): { epochSeconds?: number } {
  return epochSeconds === undefined ? {} : { epochSeconds };
}

function titleOf({ type }: Output): string {
  switch (type) {
    case "image":
      return "exporting to image";
    case "oci":
      return "exporting to oci image format";
    case "docker":
      return "exporting to docker image format";
    case "tar":
      return "exporting to client tarball";
    case "local":
      return "exporting to client directory";
    case "cacheonly":
      return "exporting to nothing";
  }
}

async function putIntoStore(
  exported: ExportedImage,
  names: readonly string[],
  parts: Parts,
  status: ReportStatus,
): Promise<void> {
  status("exporting layers", 0, 0, true);
  storeImage(exported, names, parts.images);
  status(`writing image ${exported.id}`, 0, 0, true);
  for (const name of names) status(`naming to ${name}`, 0, 0, true);
}

async function exportArchive(
  output: Extract<Output, { readonly type: "oci" | "docker" }>,
  exported: ExportedImage,
  names: readonly string[],
  parts: Parts,
  signal: AbortSignal,
  status: ReportStatus,
): Promise<Descriptor> {
  const packed = await packImage(exported, {
    ...parts,
    compression: output.compression ?? "gzip",
    dockerTypes: output.type === "docker",
    signal,
    onProgress: (diffId, bytes, total) => status(`exporting layer ${diffId}`, bytes, total, bytes === total),
  });
  status("exporting layers", 0, 0, true);
  status(`exporting manifest ${packed.descriptor.digest}`, 0, 0, true);
  status(`exporting config ${exported.id}`, 0, 0, true);
  await withOutputFile(output.dest, (sink) =>
    writeArchive(output.type, [{ ...packed, names }], sink, { content: parts.content, signal }),
  );
  status("sending tarball", 0, 0, true);
  return packed.descriptor;
}

async function exportFiles(
  output: Extract<Output, { readonly type: "tar" | "local" }>,
  stack: StackRef,
  parts: Parts,
  signal: AbortSignal,
  status: ReportStatus,
): Promise<void> {
  let total = 0;
  const onProgress = (bytes: number) => status("copying files", (total = bytes), 0, false);
  if (output.type === "tar") await exportTar(output.dest, { ...parts, stack, signal, onProgress });
  else await exportFolder(output.dest, { ...parts, stack, signal, onProgress });
  status("copying files", total, 0, true);
}

/** The keys of buildx's `--metadata-file` (B16). */
function metadataOf(
  image: ExportedImage | undefined,
  descriptor: Descriptor | undefined,
  tags: readonly string[],
  ref: string,
): Record<string, unknown> {
  return {
    "buildx.build.ref": `varve/varve0/${ref}`,
    ...(image ? { "containerimage.config.digest": image.id, "containerimage.digest": descriptor?.digest ?? image.id } : {}),
    ...(descriptor ? { "containerimage.descriptor": descriptor } : {}),
    ...(tags.length > 0 ? { "image.name": tags.join(",") } : {}),
  };
}
