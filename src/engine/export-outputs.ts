import { VarveError } from "../errors/index.ts";
import type { EventSink } from "../events/index.ts";
import { exportFolder, exportTar, withOutputFile, writeArchive, writeLayout, type PlatformResult } from "../exporters/index.ts";
import { familiarReference, formatPlatform, formatReference, parseReference, withDefaultTag } from "../oci/index.ts";
import { exportToStore, type StoredImage } from "./export-to-store.ts";
import { internalStep, type ReportStatus } from "./internal-step.ts";
import { bringFiles, makesBlobs, namesOf, type Exporting } from "./exporting.ts";
import { createImageMaker, datedDescriptor, epochOf, packingOf } from "./make-images.ts";
import type { ArchiveOutput, FilesOutput, FolderOutput, ImageSettings, Output } from "./output-types.ts";
import type { Parts } from "./parts.ts";
import type { BuildOptions, BuildResult } from "./types.ts";

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
  const { outputs = [{ type: "image" }], signal, multiPlatform } = request;
  checkOutputs(outputs, multiPlatform || results.length > 1);
  const packing = outputs.find(makesBlobs);
  const maker = createImageMaker(results, {
    parts,
    multiPlatform,
    packing: packing === undefined ? undefined : packingOf(packing),
    signal,
  });
  const exporting = { results, maker, parts, emit, signal };
  const tags = (request.tags ?? []).map((tag) => formatReference(withDefaultTag(parseReference(tag))));
  let made: StoredImage | undefined;
  for (const output of outputs) {
    if (output.type === "cacheonly") continue;
    const stored = await internalStep(titleOf(output), emit, (status) => exportOne(output, tags, exporting, status));
    if (stored !== undefined) made = { ...stored, descriptor: stored.descriptor ?? made?.descriptor };
  }
  const { image, descriptor, names = [] } = made ?? {};
  const sizes = made?.image.flatMap(({ layers }) => layers.map(({ diffSize }) => diffSize)) ?? [];
  const imageId = maker.isIndex ? descriptor?.digest : image?.[0]?.id;
  return {
    ...(imageId === undefined ? {} : { imageId, sizeBytes: sizes.reduce((sum, size) => sum + size, 0) }),
    ...(descriptor === undefined ? {} : { descriptor }),
    tags: tags.map((tag) => familiarReference(parseReference(tag))),
    metadata: {
      "buildx.build.ref": `varve/varve0/${request.ref}`,
      ...(image === undefined || maker.isIndex ? {} : { "containerimage.config.digest": image[0]?.id }),
      ...(imageId === undefined ? {} : { "containerimage.digest": descriptor?.digest ?? imageId }),
      ...(descriptor === undefined ? {} : { "containerimage.descriptor": descriptor }),
      ...(names.length > 0 ? { "image.name": names.join(",") } : tags.length > 0 ? { "image.name": tags.join(",") } : {}),
    },
  };
}

/** What can be known to be wrong before anything is made. */
function checkOutputs(outputs: readonly Output[], several: boolean): void {
  for (const output of outputs) {
    if (output.type === "docker" && several && "dest" in output)
      throw new VarveError(
        "OUTPUT_OPTIONS",
        "docker exporter does not support exporting manifest lists, use the oci exporter instead",
        { hint: "an archive of several platforms is type=oci" },
      );
  }
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

async function exportOne(
  output: Exclude<Output, { readonly type: "cacheonly" }>,
  tags: readonly string[],
  exporting: Exporting,
  status: ReportStatus,
): Promise<StoredImage | undefined> {
  if (output.type === "tar" || output.type === "local") {
    await exportFiles(output, exporting, status);
    return undefined;
  }
  warnOfEpoch(output, exporting);
  if (output.type === "image") return await exportToStore(output, tags, exporting, status);
  const names = namesOf(output, tags);
  if ("engine" in output) {
    const { loadIntoEngine } = await import("./load-into-engine.ts");
    return await loadIntoEngine(output, names, exporting, status);
  }
  return await exportArchive(output, names, exporting, status);
}

function warnOfEpoch(output: ImageSettings, { results, emit }: Exporting): void {
  if (output.rewriteTimestamp !== true || results.some((result) => epochOf(result, output) !== undefined)) return;
  emit({
    type: "warning",
    time: Date.now(),
    rule: "RewriteTimestampWithoutEpoch",
    message: "rewrite-timestamp is specified, but no source-date-epoch was found",
  });
}

async function exportArchive(
  output: ArchiveOutput,
  names: readonly string[],
  { results, maker, parts, signal }: Exporting,
  status: ReportStatus,
): Promise<StoredImage> {
  const packed = await maker.pack(output, status);
  const [first] = results;
  const descriptor = datedDescriptor(packed.descriptor, first && epochOf(first, output));
  const image = { ...packed, descriptor, names };
  const { content } = parts;
  if (output.tar === false && typeof output.dest === "string") {
    await writeLayout(image, output.dest, { content, signal });
    status("copying blobs", 0, 0, true);
  } else {
    await withOutputFile(output.dest, (sink) => writeArchive(output.type, [image], sink, { content, signal }));
    status("sending tarball", 0, 0, true);
  }
  return { image: await maker.identify(output), descriptor, names };
}

async function exportFiles(
  output: FilesOutput | FolderOutput,
  { results, maker, parts, signal }: Exporting,
  status: ReportStatus,
): Promise<void> {
  const { platformSplit = maker.isIndex } = output;
  if (output.type === "tar" && !platformSplit && results.length > 1)
    throw new VarveError("OUTPUT_OPTIONS", "an archive of several platforms has a folder for each of them", {
      hint: "leave platform-split=false away, or use type=local",
    });
  const [first] = results;
  await bringFiles({ results, parts, signal }, status);
  let total = 0;
  const options = {
    ...parts,
    files: results.map(({ stack, platform }) => ({ stack, platform: formatPlatform(platform), split: platformSplit })),
    mtime: first && epochOf(first, output),
    signal,
    onProgress: (bytes: number) => status("copying files", (total = bytes), 0, false),
  };
  if (output.type === "tar") await exportTar(output.dest, options);
  else await exportFolder(output.dest, { ...options, removeOthers: output.mode === "delete" });
  status("copying files", total, 0, true);
}
