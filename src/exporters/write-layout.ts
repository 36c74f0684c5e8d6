import { copyFile, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { holdLayout } from "../content/index.ts";
import { VarveError } from "../errors/index.ts";
import { parseIndex, serializeIndex, type Descriptor, type Index } from "../oci/index.ts";
import { asideOf } from "../state/index.ts";
import { outputError } from "./output-file.ts";
import { layoutMark, listBlobs, listImage, type ArchiveImage, type ArchiveIndex, type ArchiveOptions } from "./write-archive.ts";

const nameKeys = ["io.containerd.image.name", "org.opencontainers.image.ref.name"] as const;

/**
 * Puts an image into an OCI image layout in a folder (OCI image-spec, image-layout.md), which is made where it is missing. Images that
 * are there stay, but for one of the same name. The index is replaced last, so that a reader never finds a name without its blobs.
 */
export async function writeLayout(
  image: ArchiveImage | ArchiveIndex,
  folder: string,
  { content, signal }: Pick<ArchiveOptions, "content" | "signal">,
): Promise<void> {
  try {
    const blobs = join(folder, "blobs", "sha256");
    await mkdir(blobs, { recursive: true });
    await readIndex(folder); // a file that is none is told before anything is written
    for (const [digest, size] of listBlobs([image])) {
      signal.throwIfAborted();
      const path = join(blobs, digest.slice("sha256:".length));
      if (await hasSize(path, size)) continue;
      await replace(path, (aside) => copyFile(content.pathOf(digest), aside));
    }
    await replace(join(folder, "oci-layout"), (aside) => writeFile(aside, layoutMark));
    using _held = await holdLayout(folder, { signal });
    const known = await readIndex(folder);
    const bytes = serializeIndex({ ...known, manifests: mergeNames(known.manifests, listImage(image)) });
    await replace(join(folder, "index.json"), (aside) => writeFile(aside, bytes));
  } catch (error) {
    throw outputError(error, folder);
  }
}

/** What is there under a name that comes anew goes; so does the very same image. */
function mergeNames(there: readonly Descriptor[], added: readonly Descriptor[]): Descriptor[] {
  const key = ({ annotations, digest }: Descriptor): string => {
    const names = nameKeys.map((name) => annotations?.[name] ?? "");
    return JSON.stringify(names.every((name) => name === "") ? [digest] : names);
  };
  const keys = new Set(added.map(key));
  return [...there.filter((each) => !keys.has(key(each))), ...added];
}

async function readIndex(folder: string): Promise<Index> {
  let bytes: Buffer;
  try {
    bytes = await readFile(join(folder, "index.json"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [] };
  }
  try {
    return parseIndex(bytes);
  } catch (cause) {
    throw new VarveError("OUTPUT_FAILED", `cannot write the output ${folder}: its index.json is no image index`, { cause });
  }
}

async function hasSize(path: string, size: number): Promise<boolean> {
  try {
    return (await stat(path)).size === size;
  } catch {
    return false;
  }
}

async function replace(path: string, write: (aside: string) => Promise<void>): Promise<void> {
  const aside = asideOf(path);
  try {
    await write(aside);
    await rename(aside, path);
  } finally {
    await rm(aside, { force: true });
  }
}
