import { closeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { VarveError } from "../errors/index.ts";
import { throwIfAborted } from "../flow/index.ts";
import { fdPath, type FileTime } from "../sys/index.ts";
import { createEntryCopier, type CopyChanges } from "./copy-entry.ts";
import { epoch, toFileTime, writeInto, type Destination } from "./destination.ts";
import { parseMode } from "./mode.ts";
import type { OwnerIds } from "./owner.ts";
import { absolutePath, childPath, parentPath } from "./path-text.ts";
import { selectCopySources, type CopySourceFields, type SelectedSource } from "./selection.ts";
import { changedWhileRead } from "./file-hash.ts";
import type { SelectionChange } from "./seen-selection.ts";
import { quote } from "./tree-error.ts";
import type { Tree } from "./tree.ts";

/** The fields of an LLB copy action; its owner is resolved beforehand ({@link resolveOwner}). */
export interface CopyAction extends CopySourceFields {
  readonly dest: string;
  /** −1 keeps the source's. */
  readonly mode: number;
  /** Octal or symbolic; "" for none; goes before `mode`. */
  readonly modeStr: string;
  readonly attemptUnpack: boolean;
  readonly createDestPath: boolean;
  /** Nanoseconds since 1970; −1 keeps the source's. */
  readonly timestamp: number;
  readonly alwaysReplaceExistingDestPaths: boolean;
}

/** A file that ADD may unpack instead of copying it. */
export interface UnpackRequest {
  /** The open file; closed by the caller once the answer is there. */
  readonly fd: number;
  /** A path that means the open file. */
  readonly path: string;
  /** In the source tree. */
  readonly name: string;
  readonly size: number;
  readonly owner: OwnerIds | undefined;
  /** The folder to unpack into: absolute in the root, resolved. */
  readonly destination: string;
  /** Makes that folder where missing, and gives it as an open folder (O_PATH), good until the answer. */
  readonly openDestination: () => number;
}

export interface CopyOptions {
  /** Given to everything copied and to the folders made on the way. Absent: the source's owner; 0:0 for folders on the way. */
  readonly owner?: OwnerIds | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For folders made on the way. Default 1970. */
  readonly createdTime?: FileTime;
  /** Totals so far; called now and then, and once at the end. */
  readonly onProgress?: (done: CopyTotals) => void;
  /**
   * True when it was an archive and is unpacked now; false: it is copied as it is. The times of the destination folder are
   * the unpacker's to set or to keep.
   */
  readonly unpack?: (request: UnpackRequest) => boolean | Promise<boolean>;
}

export interface CopyTotals {
  readonly entries: number;
  readonly bytes: number;
}

/** How long the event loop waits at most. */
const maxBusyMs = 25;

/**
 * Does an LLB copy action into the root at `rootPath`, as BuildKit does (C01 to C13): folders merge, a folder never
 * takes a file's place nor the other way round (TREE_CONFLICT), links in the destination stay inside the root. Nothing
 * from a clock is written: folders written into keep their times. Missing source: TREE_NOT_FOUND; a source that changes
 * meanwhile: TREE_CHANGED. Nothing is undone on failure: the caller throws the root away.
 */
export async function copyInto(rootPath: string, tree: Tree, copy: CopyAction, options: CopyOptions = {}): Promise<CopyTotals> {
  const { totals, pause } = startTotals(options);
  const changes = changesOf(copy, options.owner);
  await writeInto(rootPath, async (destination) => {
    if (!copy.createDestPath) requireParent(destination, copy.dest);
    for (const source of selectCopySources(tree, copy)) {
      await pause(0);
      if (copy.attemptUnpack && (await unpackSource(destination, { tree, source, copy, options }))) continue;
      const top = prepareTarget(destination, { source, copy, changes, createdTime: options.createdTime ?? epoch });
      const copier = createEntryCopier(tree, destination, { changes, pause });
      try {
        for (const selected of source.entries()) {
          await copier.copy(selected, selected.relative === "" ? top : childPath(top, selected.relative));
          totals.entries += 1;
          await pause(0);
        }
      } finally {
        await copier.finish();
      }
    }
  });
  options.onProgress?.({ ...totals });
  return totals;
}

/**
 * Makes the result of a copy of one folder out of that of an earlier copy, which the root at `rootPath` shows: copies what
 * changed, removes what is gone. The same as a copy of all into a root without the earlier one. False, with the root in an
 * undefined state, where it would not be the same: `canRemove` says of a path in the root whether nothing is there otherwise.
 */
export async function copyChanges(
  rootPath: string,
  tree: Tree,
  copy: CopyAction,
  { change, canRemove, ...options }: CopyOptions & { change: SelectionChange; canRemove: (path: string) => boolean },
): Promise<boolean> {
  const { totals, pause } = startTotals(options);
  const changes = changesOf(copy, options.owner);
  const done = await writeInto(rootPath, async (destination) => {
    const [source, ...more] = selectCopySources(tree, copy);
    if (source === undefined || more.length > 0) return false;
    const top = prepareTarget(destination, { source, copy, changes, createdTime: options.createdTime ?? epoch });
    const copier = createEntryCopier(tree, destination, { changes, pause });
    for (const relative of change.removed) {
      const path = childPath(top, relative);
      if (!canRemove(path)) return false;
      destination.remove(path);
    }
    try {
      await copier.copy({ entry: source.entry, relative: "", onTheWay: false }, top);
      for (const relative of change.changed) {
        const entry = tree.entry(childPath(source.entry.path, relative));
        if (entry === undefined) throw changedWhileRead(childPath(source.entry.path, relative));
        await copier.copy({ entry, relative, onTheWay: false }, childPath(top, relative));
        totals.entries += 1;
        await pause(0);
      }
    } finally {
      await copier.finish();
    }
    return true;
  });
  options.onProgress?.({ ...totals });
  return done;
}

/** Counts, and lets others run now and then. */
function startTotals(options: CopyOptions): {
  readonly totals: { entries: number; bytes: number };
  readonly pause: (bytes: number) => Promise<void>;
} {
  const totals = { entries: 0, bytes: 0 };
  let busySince = performance.now();
  const pause = async (bytes: number): Promise<void> => {
    totals.bytes += bytes;
    throwIfAborted(options.signal);
    if (performance.now() - busySince < maxBusyMs) return;
    options.onProgress?.({ ...totals });
    await setImmediate();
    busySince = performance.now();
    throwIfAborted(options.signal);
  };
  return { totals, pause };
}

function changesOf(copy: CopyAction, owner: OwnerIds | undefined): CopyChanges {
  const fixed = copy.mode & 0o7777;
  return {
    owner,
    changeMode: copy.modeStr !== "" ? parseMode(copy.modeStr) : copy.mode === -1 ? undefined : () => fixed,
    time: copy.timestamp === -1 ? undefined : toFileTime(BigInt(copy.timestamp)),
    replaceAll: copy.alwaysReplaceExistingDestPaths,
  };
}

function requireParent(destination: Destination, dest: string): void {
  const parent = parentPath(destination.resolve(dest));
  if (destination.root.lstat(parent) !== undefined) return;
  throw new VarveError("TREE_NOT_FOUND", `${quote(parent)}: not found`, {
    hint: "the destination's folder must exist",
    details: { path: dest, nearest: parent },
  });
}

/** Makes the folders above the target, and says where the source goes: to `dest` itself, or into it under its own name. */
function prepareTarget(
  destination: Destination,
  {
    source,
    copy,
    changes,
    createdTime,
  }: { source: SelectedSource; copy: CopyAction; changes: CopyChanges; createdTime: FileTime },
): string {
  const made = {
    mode: copy.modeStr === "" && copy.mode !== -1 ? copy.mode & 0o777 : 0o755,
    owner: changes.owner,
    time: changes.time ?? createdTime,
  };
  const namesFolder = /(?:^|\/)\.?$/.test(copy.dest);
  const folder = namesFolder ? copy.dest : parentPath(absolutePath(copy.dest));
  destination.makeFolders(destination.resolve(folder), made);

  const dest = destination.resolve(copy.dest);
  const existing = destination.root.lstat(dest);
  const isFolder = source.entry.type === "directory";
  if (isFolder && copy.dirCopyContents && existing === undefined) {
    destination.makeFolders(dest, made);
    return dest;
  }
  const intoFolder = isFolder ? !copy.dirCopyContents && existing !== undefined : existing?.isDirectory() === true;
  const target = intoFolder && source.name !== "" ? absolutePath(`${dest}/${source.name}`) : dest;
  destination.makeFolders(parentPath(target), made);
  return target;
}

async function unpackSource(
  destination: Destination,
  { tree, source, copy, options }: { tree: Tree; source: SelectedSource; copy: CopyAction; options: CopyOptions },
): Promise<boolean> {
  if (options.unpack === undefined) return false;
  const entry = tree.entry(tree.resolve(source.path, { followLast: true }));
  if (entry?.type !== "file") return false;
  const { owner, createdTime = epoch } = options;
  const time = copy.timestamp === -1 ? createdTime : toFileTime(BigInt(copy.timestamp));
  const target = destination.resolve(copy.dest);
  const fd = tree.openFile(entry);
  try {
    return await options.unpack({
      fd,
      path: fdPath(fd),
      name: source.path,
      size: entry.size,
      owner,
      destination: target,
      openDestination() {
        destination.makeFolders(target, { mode: 0o755, owner, time });
        return destination.root.folder(target);
      },
    });
  } finally {
    closeSync(fd);
  }
}
