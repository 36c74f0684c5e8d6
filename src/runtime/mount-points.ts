import { closeSync, fstatSync, lstatSync, readdirSync, rmdirSync, unlinkSync, type BigIntStats } from "node:fs";
import { join } from "node:path";
import { VarveError, isVarveError } from "../errors/index.ts";
import { fdPath, hasCode, openPath, utimensNoFollow, type FileTime } from "../sys/index.ts";
import { makeInRoot, resolveInRoot, type FileKind } from "./make-in-root.ts";

/** A place that something will be mounted on. */
export interface MountPoint {
  /** Path in the root. */
  readonly destination: string;
  readonly kind: FileKind;
  /**
   * One of /proc, /sys and /dev: stays in the layer, as Docker leaves it, and must be a real folder. Runtimes before 2024 follow a
   * link there out of the root and write on the host. Default false.
   */
  readonly system?: boolean;
  /** Of a folder, when it is made. Default 0755. */
  readonly folderMode?: number;
}

export interface MadeMountPoints {
  /** Where each destination leads once the root's links are followed, by destination. */
  readonly resolved: ReadonlyMap<string, string>;
  /** Removes what was made and is still as it was; whatever the step put there or in its place stays. Call it once. */
  cleanup(): void;
}

interface Stub {
  /** O_PATH of the folder it is in. */
  readonly parent: number;
  readonly name: string;
  readonly made: BigIntStats;
  readonly kind: FileKind;
  /** The parent before and just after the stub was made. */
  readonly before: BigIntStats;
  readonly after: BigIntStats;
}

/**
 * Makes the mount points that a root lacks, with the folders above them, and remembers exactly those. Links are followed inside
 * the root only, also dangling ones. Clean-up works on the folders that were open all the time, so that a step that swaps a folder
 * for a link gains nothing (CVE-2024-23652).
 */
export function makeMountPoints(rootPath: string, points: readonly MountPoint[]): MadeMountPoints {
  const stubs: Stub[] = [];
  const resolved = new Map<string, string>();
  const root = openPath(rootPath);
  try {
    for (const point of points) {
      makePoint(root, rootPath, point, stubs);
      resolved.set(point.destination, resolveInRoot(root, point.destination));
    }
  } catch (error) {
    removeStubs(stubs);
    throw error;
  } finally {
    closeSync(root);
  }
  return { resolved, cleanup: () => removeStubs(stubs) };
}

function makePoint(
  root: number,
  rootPath: string,
  { destination, kind, system = false, folderMode = 0o755 }: MountPoint,
  stubs: Stub[],
): void {
  let before: BigIntStats | undefined;
  const listener = {
    before: (parent: number) => void (before = fstatSync(parent, { bigint: true })),
    made(parent: number, name: string, madeKind: FileKind) {
      if (system || before === undefined) return false;
      const made = lstatSync(`${fdPath(parent)}/${name}`, { bigint: true });
      stubs.push({ parent, name, kind: madeKind, made, before, after: fstatSync(parent, { bigint: true }) });
      return true;
    },
  };
  try {
    if (system && lstatSync(join(rootPath, destination), { throwIfNoEntry: false })?.isDirectory() === false) {
      throw new VarveError("RUNTIME_MOUNT_POINT", `${destination} of the image is not a folder`, {
        hint: "steps run only in images where /proc, /sys and /dev are folders, or missing",
      });
    }
    makeInRoot(root, destination, { kind, folderMode, listener });
  } catch (error) {
    if (isVarveError(error) || !hasCode(error, "ENOTDIR", "ELOOP", "EEXIST", "ENAMETOOLONG", "EACCES", "EROFS")) throw error;
    throw new VarveError(
      "RUNTIME_MOUNT_POINT",
      `nothing can be mounted at ${destination}: something in the image is in the way`,
      { cause: error },
    );
  }
}

/** Deepest first. */
function removeStubs(stubs: Stub[]): void {
  for (let stub = stubs.pop(); stub !== undefined; stub = stubs.pop()) {
    try {
      removeStub(stub);
    } finally {
      closeSync(stub.parent);
    }
  }
}

function removeStub({ parent, name, kind, made, before, after }: Stub): void {
  const child = `${fdPath(parent)}/${name}`;
  const now = lstatSync(child, { bigint: true, throwIfNoEntry: false });
  if (now === undefined || now.ino !== made.ino || now.dev !== made.dev || now.mode !== made.mode) return;
  if (kind === "file" && now.size !== 0n) return;
  if (kind === "folder" && readdirSync(child).length > 0) return;
  const present = fstatSync(parent, { bigint: true });
  try {
    if (kind === "folder") rmdirSync(child);
    else unlinkSync(child);
  } catch (error) {
    if (hasCode(error, "ENOTEMPTY", "ENOENT")) return;
    throw error;
  }
  // A folder that only the stub had touched looks untouched again; else it keeps the time of the step's own change.
  const times = present.mtimeNs === after.mtimeNs ? before : present;
  utimensNoFollow(`${fdPath(parent)}/.`, { atime: fileTime(times.atimeNs), mtime: fileTime(times.mtimeNs) });
}

function fileTime(nanoseconds: bigint): FileTime {
  const second = 1_000_000_000n;
  const nsec = ((nanoseconds % second) + second) % second;
  return { sec: (nanoseconds - nsec) / second, nsec: Number(nsec) };
}
