import { closeSync, lstatSync } from "node:fs";
import { VarveError, isVarveError } from "../errors/index.ts";
import { endOnAbort, throwIfAborted } from "../flow/index.ts";
import { fdPath, openPath, type FileTime } from "../sys/index.ts";
import { readTar, type TarEntry, type TarLimits } from "../tar/index.ts";
import { setAttributes } from "./attributes.ts";
import { cleanParts, toBytePath, type BytePath } from "./byte-path.ts";
import { decompress } from "./decompress.ts";
import { setFolderTime } from "./folder-time.ts";
import { explainWrite } from "./layer-failures.ts";
import { openLowers } from "./lower-view.ts";
import { openParentFolders, splitNanoseconds, type ParentFolders } from "./parent-folders.ts";
import { placeEntry, type LayerTarget } from "./place-entry.ts";

export interface UnpackOptions {
  /** The file's bytes, compressed or not. */
  readonly source: AsyncIterable<Uint8Array>;
  /** A path of the folder to unpack into; asked for once it is known that the file is an archive. */
  readonly target: () => string;
  /** Given to every entry instead of its own owner; folders that have no entry are root's all the same. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Leave out device nodes that a user namespace may not make. */
  readonly userNamespace: boolean;
  /** As `docker cp` unpacks, see {@link CopyManner}. Default: as ADD does. */
  readonly asCopy?: CopyManner;
  readonly limits?: Partial<TarLimits>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * `docker cp` into a root in which others may be at work: a folder and something else never take each other's place
 * (LAYER_CONFLICT), what the archive says of the folder itself counts, folders that it has no entry for get their times from the
 * clock, and links that climb stop at the root.
 */
export interface CopyManner {
  /** The folder below `target` that the names start from, which is there, without links in its path. Links are followed in all of `target`. */
  readonly below: string;
  /** That folder as messages name it. */
  readonly shown: string;
  /** Leave out extended attributes. */
  readonly withoutAttributes: boolean;
}

/**
 * Unpacks an archive on top of what a folder holds, as ADD does (C13; moby's go-archive): folders merge, everything else
 * is replaced, whiteouts are names like any other. Links on the way are followed as if the folder were `/`, and folders that
 * they lead to are made; what climbs out of it, a name or a link, is refused. No clock is written: folders that have no
 * entry keep their time, new ones get 1970. Of a file without entries, and of one that is no archive by its beginning, nothing is done.
 */
export async function unpackArchive(options: UnpackOptions): Promise<"unpacked" | "empty" | "no archive"> {
  const { source, limits, signal } = options;
  const { content } = await decompress(endOnAbort(signal)(source));
  const entries = readTar(content, limits === undefined ? {} : { limits });
  try {
    const first = await readFirst(entries);
    if (typeof first === "string") return first;
    await unpackEntries(first, entries, options);
    return "unpacked";
  } finally {
    await entries.return();
  }
}

async function readFirst(entries: AsyncGenerator<TarEntry, void, undefined>): Promise<TarEntry | "empty" | "no archive"> {
  try {
    const { value } = await entries.next();
    return value ?? "empty";
  } catch (error) {
    const codes = ["TAR_MALFORMED", "TAR_TRUNCATED", "LAYER_COMPRESSION_INVALID"];
    if (isVarveError(error) && codes.includes(error.code)) return "no archive";
    throw error;
  }
}

async function unpackEntries(
  first: TarEntry,
  rest: AsyncIterable<TarEntry>,
  { target, owner, userNamespace, asCopy, signal }: UnpackOptions,
): Promise<void> {
  const rootFd = openPath(`${target()}/.`);
  const lowers = openLowers([], { userXattr: userNamespace });
  const times = new Map<BytePath, FileTime>();
  const folders = openParentFolders({
    rootFd,
    lowers,
    userXattr: userNamespace,
    onMade: (parts, mtime) => asCopy === undefined && times.set(parts.join("/"), mtime),
    climbing: asCopy === undefined ? "refused" : "stops",
  });
  const layer: LayerTarget = { folders, lowers, userXattr: userNamespace, isArchive: true, keepsKinds: asCopy?.shown };
  const below = asCopy === undefined ? [] : cleanParts(toBytePath(asCopy.below));
  const place = async (entry: TarEntry): Promise<void> => {
    throwIfAborted(signal);
    const own = owner === undefined ? entry : { ...entry, ...owner };
    const xattrs = asCopy?.withoutAttributes === true ? new Map<string, Buffer>() : entry.xattrs;
    try {
      await placeOne({ ...own, xattrs, mtime: boundTime(entry.mtime) }, { layer, folders, times, below, asCopy });
    } catch (error) {
      throw explainWrite(error, entry.name);
    }
  };
  try {
    if (asCopy === undefined) keepTime(rootFd, "", times);
    await place(first);
    for await (const entry of rest) await place(entry);
    for (const [path, mtime] of times) setFolderTime(rootFd, path, mtime);
  } finally {
    folders.close();
    closeSync(rootFd);
  }
}

interface Place {
  readonly layer: LayerTarget;
  readonly folders: ParentFolders;
  readonly times: Map<BytePath, FileTime>;
  readonly below: readonly BytePath[];
  readonly asCopy: CopyManner | undefined;
}

async function placeOne(entry: TarEntry, { layer, folders, times, below, asCopy }: Place): Promise<void> {
  refuseClimbing(entry.name);
  if (entry.type === "link") refuseClimbing(entry.linkPath.toString());
  const own = cleanParts(entry.path.toString("latin1"));
  const parts = [...below, ...own];
  const base = parts.at(-1);
  if (own.length === 0 || base === undefined) {
    // For ADD, what an archive says of the folder itself does not count.
    if (asCopy !== undefined && entry.type === "directory") setFolder(entry, folders.ensure(below));
    if (asCopy !== undefined) times.set(below.join("/"), entry.mtime);
    return;
  }
  const parents = parts.slice(0, -1);
  const folder = folders.ensure(parents);
  if (asCopy === undefined) keepTime(folder, parents.join("/"), times);
  const linkPath =
    entry.type === "link" ? Buffer.concat([Buffer.from([...below, ""].join("/"), "latin1"), entry.linkPath]) : entry.linkPath;
  await placeEntry({ ...entry, linkPath }, { folder, base, layer });
  if (entry.type === "directory") times.set(parts.join("/"), entry.mtime);
}

function setFolder({ mode, uid, gid, xattrs, name }: TarEntry, folder: number): void {
  setAttributes(`${fdPath(folder)}/.`, { mode, uid, gid, xattrs }, { kind: "folder", name });
}

/** moby's go-archive refuses such names too; absolute ones it takes for what they are within the folder. */
function refuseClimbing(path: string): void {
  let depth = path.startsWith("/") ? Infinity : 0;
  for (const part of path.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0)
      throw new VarveError("LAYER_MALFORMED", `the name ${JSON.stringify(path)} climbs out of the folder that is unpacked into`);
  }
}

function keepTime(folder: number, path: BytePath, times: Map<BytePath, FileTime>): void {
  if (!times.has(path)) times.set(path, splitNanoseconds(lstatSync(`${fdPath(folder)}/.`, { bigint: true }).mtimeNs));
}

/** Times that Go's 64 bits of nanoseconds since 1970 do not hold become 1970 (go-archive). */
function boundTime(time: FileTime): FileTime {
  const nanoseconds = time.sec * 1_000_000_000n + BigInt(time.nsec);
  return nanoseconds < 0n || nanoseconds > 0x7fff_ffff_ffff_ffffn ? { sec: 0n, nsec: 0 } : time;
}
