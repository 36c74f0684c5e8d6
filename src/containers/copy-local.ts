import { lstatSync, readlinkSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { VarveError } from "../errors/index.ts";
import { unpackArchive } from "../layers/index.ts";
import { hasCode } from "../sys/index.ts";
import { openRootedFolder } from "../tree/index.ts";
import { namesFolder } from "./copy-names.ts";
import { packPath } from "./copy-pack.ts";

/** A path of this machine as one end of a copy. */
export interface LocalEnd {
  /** Absolute, with what the path had at its end. */
  readonly path: string;
  readonly kind: "directory" | "other" | undefined;
}

/**
 * Looks at the source of a copy. Its last link is followed with `followLink`, or where the path says it is a folder. What is not
 * there is CONTAINER_COPY.
 */
export function findLocalSource(
  path: string,
  { followLink }: { readonly followLink: boolean },
): LocalEnd & { readonly kind: "directory" | "other" } {
  const follow = followLink || namesFolder(path);
  const stats = (follow ? statSync : lstatSync)(path, { throwIfNoEntry: false });
  if (stats === undefined)
    throw new VarveError("CONTAINER_COPY", `lstat ${followLink ? leadsTo(path) : path}: no such file or directory`);
  if (namesFolder(path) && !stats.isDirectory()) throw new VarveError("CONTAINER_COPY", `lstat ${path}: not a directory`);
  return { path, kind: stats.isDirectory() ? "directory" : "other" };
}

/** Looks at the destination of a copy; a link is what it leads to, there or not. Its parent folder must be there. */
export function findLocalDestination(path: string): LocalEnd {
  const end = /(?:\/\.?)+$/.exec(path)?.[0] ?? "";
  const real = `${leadsTo(path.slice(0, path.length - end.length) || "/")}${end}`;
  const stats = statSync(real, { throwIfNoEntry: false });
  if (stats === undefined) {
    const parent = dirname(real);
    if (statSync(parent, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw new VarveError("CONTAINER_COPY", `invalid output path: directory "${parent}" does not exist`);
  } else if (!stats.isDirectory() && !stats.isFile())
    throw new VarveError("CONTAINER_COPY", `invalid output path: "${path}" must be a directory or a regular file`);
  return { path: real, kind: stats === undefined ? undefined : stats.isDirectory() ? "directory" : "other" };
}

/** The archive of a file or folder of this machine, as this user may read it. */
export async function* packLocal(
  source: LocalEnd,
  { as, followLink, signal }: { readonly as: string; readonly followLink: boolean; readonly signal?: AbortSignal },
): AsyncGenerator<Uint8Array, void, undefined> {
  const root = openRootedFolder("/");
  try {
    const path = root.resolve(source.path, { followLast: followLink || namesFolder(source.path) });
    yield* packPath({ root, path, as, signal });
  } finally {
    root.close();
  }
}

/** Unpacks an archive into a folder of this machine: everything belongs to this user, and stays inside the folder. */
export async function unpackLocal(
  archive: AsyncIterable<Uint8Array>,
  { folder, signal }: { readonly folder: string; readonly signal?: AbortSignal },
): Promise<void> {
  const [uid = 0, gid = 0] = [process.getuid?.(), process.getgid?.()];
  const isRoot = uid === 0;
  try {
    await unpackArchive({
      source: archive,
      target: () => folder,
      owner: { uid, gid },
      userNamespace: !isRoot,
      asCopy: { below: "", shown: folder, withoutAttributes: !isRoot },
      signal,
    });
  } catch (error) {
    if (!(error instanceof VarveError) || !hasCode(error.cause, "EACCES", "EPERM", "EROFS")) throw error;
    throw new VarveError("CONTAINER_COPY", error.message, { cause: error.cause });
  }
}

/** The path at the end of a chain of links, of which the last may lead to nothing. */
function leadsTo(path: string): string {
  let at = path;
  for (let links = 0; links < 40; links += 1) {
    if (lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink() !== true) break;
    at = resolve(dirname(at), readlinkSync(at));
  }
  return at;
}
