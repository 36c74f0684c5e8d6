import { closeSync, constants, openSync, readdirSync, readlinkSync } from "node:fs";
import { VarveError, isVarveError } from "../errors/index.ts";
import { openFlags, readSmallFile, smallFileBytes, splitDevice, statMany, statRecordBytes } from "../sys/index.ts";
import {
  encodeEntry,
  encodePlainFile,
  endOfArchive,
  padding,
  printWhiteout,
  type EntryType,
  type TarHeader,
} from "../tar/index.ts";
import { showPath, toBytePath, toFsPath, type BytePath } from "./byte-path.ts";
import { findLower, listLower, openLowers, type LowerFolder } from "./lower-view.ts";
import { isOpaque, isWhiteout } from "./overlay-marks.ts";
import { splitNanoseconds } from "./parent-folders.ts";
import { createTarBlocks, type BlockSink } from "./tar-blocks.ts";
import { isSameEntry, readXattrs, statEntry, type FoundEntry, type Xattrs } from "./upper-entry.ts";

export interface DiffOptions {
  /**
   * The folder that an overlay wrote one step's changes to, or several, bottom first, that together are one step's. Nobody
   * writes to them any more.
   */
  readonly upper: string | readonly string[];
  /** Folders of the layers below, bottom first. */
  readonly lowers: readonly string[];
  readonly userXattr: boolean;
  readonly sink: BlockSink;
  readonly signal?: AbortSignal | undefined;
  /** Seconds since 1970 that no file's time goes beyond (`rewrite-timestamp`). */
  readonly clampMtime?: number;
  /** Seconds since 1970 that is every entry's time. */
  readonly mtime?: number;
  /** Names from the root on, without a slash before them, that get no entries, with all below them. */
  readonly leaveOut?: readonly string[] | undefined;
  /** A folder that all entries are put into; it gets the attributes of the uppermost `upper`. */
  readonly within?: string;
  /** The archive goes on after this: it gets no end. */
  readonly more?: boolean;
  /** Of the blocks that the sink gets, at most. Default 1 MiB. */
  readonly blockBytes?: number;
  /** What a block has at least that ends before it is full, where an entry does. Default: none does. */
  readonly minBlockBytes?: number | undefined;
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
  const { userXattr, clampMtime, mtime, signal, blockBytes = 1 << 20, minBlockBytes } = options;
  const blocks = createTarBlocks(options.sink, { blockBytes, minBytes: minBlockBytes, signal });
  const leftOut = new Set(options.leaveOut?.map(toBytePath));
  const firstNames = new Map<string, BytePath>();
  const ancestors: Ancestor[] = [];
  let entries = 0;

  async function write(header: TarHeader): Promise<void> {
    entries += 1;
    const border = blocks.begin(toBytePath(header.path), header.size ?? 0);
    if (border !== undefined) await border;
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
    const time = mtime === undefined ? clamped : BigInt(mtime);
    return {
      type,
      path: Buffer.from(name, "latin1"),
      mode: Number(stats.mode & 0o7777n),
      uid: Number(stats.uid),
      gid: Number(stats.gid),
      mtime: { sec: time, nsec: 0 },
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

  /** `parts`: the folder in each upper that has it, top first. `hidden`: nothing of `lower` shows through, so what is not here is gone. */
  async function walk(
    parts: readonly BytePath[],
    parent: BytePath,
    lower: LowerFolder | undefined,
    hidden: boolean,
  ): Promise<void> {
    const own = listParts(parts);
    const gone = hidden && lower !== undefined ? listLower(lower).filter((name) => !own.has(name)) : [];
    using small = openSmallFiles(parts, lower, own);
    for (const name of [...own.keys(), ...gone].toSorted(byBytes)) {
      const place = own.get(name) ?? [];
      const path = join(parent, name);
      if (leftOut.has(path)) continue;
      const size = small?.sizeOf(name);
      if (size !== undefined) {
        await writeParents();
        const waiting = blocks.begin(path, size);
        if (waiting !== undefined) await waiting;
      }
      const file = small?.read(name, path, { clampMtime, mtime });
      if (file !== undefined) {
        entries += 1;
        for (const bytes of takeBytes(file, blocks.room)) {
          const waiting = blocks.append(bytes);
          if (waiting !== undefined) await waiting;
        }
        continue;
      }
      const below = lower === undefined ? undefined : findLower(lower, name);
      const [top] = place;
      const found = top === undefined ? undefined : statEntry(top);
      if (found === undefined || isWhiteout(found.stats)) {
        if (below !== undefined) await writeWhiteout(parent, name);
        continue;
      }
      if (found.stats.isSocket()) continue;
      const xattrs = readXattrs(found);
      const same = below !== undefined && isSameEntry(found, below, xattrs);
      if (!same) await writeEntry(found, path, xattrs);
      if (!found.stats.isDirectory()) continue;
      const opaque = hidden || place.some((part) => isOpaque(toFsPath(part), userXattr));
      ancestors.push({ name: path, found, xattrs, written: !same });
      await walk(place, path, below?.folder, opaque);
      ancestors.pop();
    }
  }

  try {
    const uppers = typeof options.upper === "string" ? [options.upper] : options.upper.toReversed();
    const top = options.within;
    if (top !== undefined) {
      const found = statEntry(toBytePath(uppers[0] ?? ""));
      ancestors.push({ name: toBytePath(top), found, xattrs: readXattrs(found), written: false });
      await writeParents();
    }
    const lowers = openLowers(options.lowers, { userXattr });
    await walk(uppers.map(toBytePath), top === undefined ? "" : toBytePath(top), lowers, false);
  } catch (error) {
    if (isVarveError(error) || !(error instanceof Error) || !("syscall" in error)) throw error;
    throw new VarveError("LAYER_READ", `the snapshot could not be read: ${error.message}`, {
      cause: error,
    });
  }
  const waiting = options.more === true ? undefined : blocks.append(endOfArchive);
  if (waiting !== undefined) await waiting;
  return { entries, bytes: await blocks.finish() };
}

/**
 * The names in the folders of one step, each with where it lies, top first: one place, but for a folder that several have.
 * A whiteout hides what is below it, and stays only where nothing is: it speaks of the layers below then.
 */
function listParts(parts: readonly BytePath[]): Map<BytePath, BytePath[]> {
  const [only, ...more] = parts.map((part) =>
    readdirSync(toFsPath(part), { encoding: "latin1" }).map((name) => [name, part] as const),
  );
  const found = new Map((only ?? []).map(([name, part]) => [name, [`${part}/${name}`]]));
  for (const [name, part] of more.flat()) {
    const above = found.get(name);
    const path = `${part}/${name}`;
    if (above === undefined) found.set(name, [path]);
    else if (isPlainFolder(above.at(-1) ?? "") && isPlainFolder(path)) above.push(path);
    else if (isWhiteout(statEntry(above[0] ?? "").stats)) found.delete(name);
  }
  return found;
}

function isPlainFolder(path: BytePath): boolean {
  return statEntry(path).stats.isDirectory();
}

/** The bytes of a file's entry. Those that must wait for room are copied: others may read files meanwhile. */
function takeBytes({ header, data }: { header: Buffer; data: Buffer }, room: number): Buffer[] {
  const rest = padding(data.length);
  return header.length + data.length + rest.length <= room
    ? [header, data, rest]
    : [Buffer.from(header), Buffer.from(data), rest];
}

/** Below this number of names, opening the folder costs more than it saves. */
const manyNames = 8;

/** Seconds since 1970. */
interface FixedTimes {
  readonly clampMtime: number | undefined;
  readonly mtime: number | undefined;
}

interface SmallFiles extends Disposable {
  /** A small file without a namesake below or attributes, ready to be written; undefined for everything else. */
  /** Bytes of a file that `read` may give. */
  sizeOf(name: BytePath): number | undefined;
  /** Good until somebody reads another. */
  read(name: BytePath, path: BytePath, times: FixedTimes): { header: Buffer; data: Buffer } | undefined;
}

/** Reads the small files of a folder in few calls; undefined where that does not pay or is not enough. */
function openSmallFiles(
  parts: readonly BytePath[],
  lower: LowerFolder | undefined,
  own: ReadonlyMap<BytePath, unknown>,
): SmallFiles | undefined {
  const [folder] = parts;
  if (folder === undefined || parts.length > 1 || lower !== undefined || own.size < manyNames) return undefined;
  const names = [...own.keys()].filter((name) => /^\p{ASCII}*$/u.test(name));
  const places = new Map(names.map((name, place) => [name, place * statRecordBytes]));
  const records = Buffer.alloc(names.length * statRecordBytes);
  const fd = openSync(toFsPath(folder), openFlags.path | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    statMany(fd, names, records);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  const placeOf = (name: BytePath): { at: number; size: number } | undefined => {
    const at = places.get(name);
    if (at === undefined || (records.readUInt16LE(at + 12) & constants.S_IFMT) !== constants.S_IFREG) return undefined;
    const size = Number(records.readBigUInt64LE(at + 24));
    return records.readUInt32LE(at) > 1 || size > smallFileBytes ? undefined : { at, size };
  };
  return {
    sizeOf: (name) => placeOf(name)?.size,
    read(name, path, { clampMtime, mtime }) {
      const place = placeOf(name);
      if (place === undefined || !/^\p{ASCII}*$/u.test(path)) return undefined;
      const { at, size } = place;
      const sec = Number(records.readBigInt64LE(at + 48));
      const header = encodePlainFile({
        path,
        mode: records.readUInt16LE(at + 12) & 0o7777,
        uid: records.readUInt32LE(at + 4),
        gid: records.readUInt32LE(at + 8),
        size,
        mtimeSec: mtime ?? (clampMtime === undefined ? sec : Math.min(sec, clampMtime)),
      });
      const file = header && readSmallFile(fd, name, records, at);
      return header === undefined || file === undefined || file.attributes ? undefined : { header, data: file.data };
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
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
