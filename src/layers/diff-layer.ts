import { readdirSync, readlinkSync } from "node:fs";
import { VarveError, isVarveError } from "../errors/index.ts";
import { splitDevice } from "../sys/index.ts";
import { encodeEntry, endOfArchive, padding, printWhiteout, type EntryType, type TarHeader } from "../tar/index.ts";
import { showPath, toBytePath, toFsPath, type BytePath } from "./byte-path.ts";
import { findLower, listLower, openLowers, type LowerFolder } from "./lower-view.ts";
import { isOpaque, isWhiteout } from "./overlay-marks.ts";
import { splitNanoseconds } from "./parent-folders.ts";
import { createTarBlocks, type BlockSink } from "./tar-blocks.ts";
import { isSameEntry, readXattrs, statEntry, type FoundEntry, type Xattrs } from "./upper-entry.ts";

export interface DiffOptions {
  /** The folder that an overlay wrote one step's changes to. Nobody writes to it any more. */
  readonly upper: string;
  /** Folders of the layers below, bottom first. */
  readonly lowers: readonly string[];
  readonly userXattr: boolean;
  readonly sink: BlockSink;
  readonly signal?: AbortSignal | undefined;
  /** Seconds since 1970 that no file's time goes beyond (`rewrite-timestamp`). */
  readonly clampMtime?: number;
  /** Of the blocks that the sink gets, but for the last. Default 1 MiB. */
  readonly blockBytes?: number;
}

export interface DiffResult {
  readonly entries: number;
  /** Of the archive. */
  readonly bytes: number;
}

/** A folder on the way down that has not got its own entry yet. */
interface Ancestor {
  readonly name: BytePath;
  readonly found: FoundEntry;
  readonly xattrs: Xattrs;
  written: boolean;
}

/**
 * Writes what a snapshot changed as a layer's tar (OCI image-spec, layer.md, "Representing Changes"). Like BuildKit's own:
 * entries in the order of their names' bytes, whole seconds, no names of users; folders that did not change only as parents
 * of something that did; a folder that replaced another as whiteouts of what is gone (readers like those better than an
 * opaque mark); no sockets. Unlike it, `user.*` attributes and ACLs are kept. The same content gives the same bytes.
 */
export async function diffLayer(options: DiffOptions): Promise<DiffResult> {
  const { userXattr, clampMtime, signal, blockBytes = 1 << 20 } = options;
  const blocks = createTarBlocks(options.sink, { blockBytes, signal });
  const firstNames = new Map<string, BytePath>();
  const ancestors: Ancestor[] = [];
  let entries = 0;

  async function write(header: TarHeader): Promise<void> {
    entries += 1;
    const waiting = blocks.append(encodeEntry(header));
    if (waiting !== undefined) await waiting;
  }

  async function writeParents(): Promise<void> {
    for (const ancestor of ancestors) {
      if (ancestor.written) continue;
      ancestor.written = true;
      await write(describe(ancestor.found, ancestor.name, ancestor.xattrs));
    }
  }

  function describe({ path, stats }: FoundEntry, name: BytePath, xattrs: Xattrs): TarHeader {
    const type = typeOf(stats);
    const { sec } = splitNanoseconds(stats.mtimeNs);
    const clamped = clampMtime !== undefined && sec > BigInt(clampMtime) ? BigInt(clampMtime) : sec;
    return {
      type,
      path: Buffer.from(name, "latin1"),
      mode: Number(stats.mode & 0o7777n),
      uid: Number(stats.uid),
      gid: Number(stats.gid),
      mtime: { sec: clamped, nsec: 0 },
      xattrs,
      ...(type === "file" && { size: Number(stats.size) }),
      ...(type === "symlink" && { linkPath: readlinkSync(toFsPath(path), { encoding: "buffer" }) }),
      ...((type === "character" || type === "block") && { device: splitDevice(stats.rdev) }),
    };
  }

  async function writeEntry(found: FoundEntry, name: BytePath, xattrs: Xattrs): Promise<void> {
    await writeParents();
    const header = describe(found, name, xattrs);
    const inode = `${found.stats.dev}:${found.stats.ino}`;
    const first = found.stats.nlink > 1n && header.type !== "directory" ? firstNames.get(inode) : undefined;
    if (first !== undefined) {
      const { size: _size, ...rest } = header;
      return await write({ ...rest, type: "link", linkPath: Buffer.from(first, "latin1") });
    }
    if (found.stats.nlink > 1n && header.type !== "directory") firstNames.set(inode, name);
    await write(header);
    if (header.type !== "file" || header.size === undefined || header.size === 0) return;
    await blocks.appendFile(toFsPath(found.path), header.size, showPath(name));
    const waiting = blocks.append(padding(header.size));
    if (waiting !== undefined) await waiting;
  }

  async function writeWhiteout(parent: BytePath, name: BytePath): Promise<void> {
    await writeParents();
    const path = Buffer.from(join(parent, printWhiteout(name)), "latin1");
    await write({ type: "file", path, mode: 0, uid: 0, gid: 0, mtime: { sec: 0n, nsec: 0 } });
  }

  /** `hidden`: nothing of `lower` shows through, so what is not here is gone. */
  async function walk(folder: BytePath, parent: BytePath, lower: LowerFolder | undefined, hidden: boolean): Promise<void> {
    const own = readdirSync(toFsPath(folder), { encoding: "latin1" });
    const present = new Set(own);
    const gone = hidden && lower !== undefined ? listLower(lower).filter((name) => !present.has(name)) : [];
    for (const name of [...own, ...gone].toSorted(byBytes)) {
      const below = lower === undefined ? undefined : findLower(lower, name);
      const found = present.has(name) ? statEntry(`${folder}/${name}`) : undefined;
      if (found === undefined || isWhiteout(found.stats)) {
        if (below !== undefined) await writeWhiteout(parent, name);
        continue;
      }
      if (found.stats.isSocket()) continue;
      const path = join(parent, name);
      const xattrs = readXattrs(found);
      const same = below !== undefined && isSameEntry(found, below, xattrs);
      if (!same) await writeEntry(found, path, xattrs);
      if (!found.stats.isDirectory()) continue;
      const opaque = hidden || isOpaque(toFsPath(found.path), userXattr);
      ancestors.push({ name: path, found, xattrs, written: !same });
      await walk(found.path, path, below?.folder, opaque);
      ancestors.pop();
    }
  }

  try {
    await walk(toBytePath(options.upper), "", openLowers(options.lowers, { userXattr }), false);
  } catch (error) {
    if (isVarveError(error) || !(error instanceof Error) || !("syscall" in error)) throw error;
    throw new VarveError("LAYER_READ", `the snapshot could not be read: ${error.message}`, {
      cause: error,
    });
  }
  const waiting = blocks.append(endOfArchive);
  if (waiting !== undefined) await waiting;
  return { entries, bytes: await blocks.finish() };
}

function join(parent: BytePath, name: BytePath): BytePath {
  return parent === "" ? name : `${parent}/${name}`;
}

function byBytes(a: BytePath, b: BytePath): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function typeOf(stats: FoundEntry["stats"]): EntryType {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isFIFO()) return "fifo";
  return stats.isBlockDevice() ? "block" : "character";
}
