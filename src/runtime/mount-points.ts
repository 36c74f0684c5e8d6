import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, readdirSync, rmdirSync, unlinkSync, type BigIntStats } from "node:fs";
import { VarveError } from "../errors/index.ts";
import { fdPath, hasCode, openFlags, openInRoot, openPath, readLinkAt, utimensNoFollow, type FileTime } from "../sys/index.ts";

/** A place that something will be mounted on. */
export interface MountPoint {
  /** Path in the root. */
  readonly destination: string;
  readonly kind: "file" | "folder";
  /** Stays in the layer, as Docker leaves /proc, /sys and /dev. Default false. */
  readonly keep?: boolean;
}

export interface MadeMountPoints {
  /** Removes what was made and is still as it was; whatever the step put there or in its place stays. Call it once. */
  cleanup(): void;
}

interface Stub {
  /** O_PATH of the folder it is in. */
  readonly parent: number;
  readonly name: string;
  readonly made: BigIntStats;
  readonly kind: "file" | "folder";
  /** The parent before and just after the stub was made. */
  readonly before: BigIntStats;
  readonly after: BigIntStats;
}

const maxLinks = 40;

/**
 * Makes the mount points that a root lacks, with the folders above them, and remembers exactly those. Links are followed inside
 * the root only, also dangling ones, to where the runtime will find them. Clean-up works on the folders that were open all the
 * time, so that a step that swaps a folder for a link gains nothing (CVE-2024-23652).
 */
export function makeMountPoints(rootPath: string, points: readonly MountPoint[]): MadeMountPoints {
  const stubs: Stub[] = [];
  const root = openPath(rootPath);
  try {
    for (const point of points) {
      try {
        make(root, point.destination, point, stubs, maxLinks);
      } catch (error) {
        if (!hasCode(error, "ENOTDIR", "ELOOP", "EEXIST", "ENAMETOOLONG", "EACCES", "EROFS")) throw error;
        throw new VarveError("RUNTIME_MOUNT_POINT", `nothing can be mounted at ${point.destination}: something in the image is in the way`, { cause: error });
      }
    }
  } catch (error) {
    removeStubs(stubs);
    throw error;
  } finally {
    closeSync(root);
  }
  return { cleanup: () => removeStubs(stubs) };
}

function make(root: number, path: string, point: Pick<MountPoint, "kind" | "keep">, stubs: Stub[], linksLeft: number): void {
  if (exists(root, path)) return;
  const trimmed = path.replace(/\/+$/, "");
  const slash = trimmed.lastIndexOf("/");
  const name = trimmed.slice(slash + 1);
  const above = trimmed.slice(0, Math.max(slash, 0));
  if (name === "" || name === "." || name === "..") throw new VarveError("RUNTIME_MOUNT_POINT", `the mount point "${path}" leads nowhere`);
  if (above !== "") make(root, above, { ...point, kind: "folder" }, stubs, linksLeft);
  const parent = openInRoot(root, above === "" ? "." : above, { flags: openFlags.path | constants.O_DIRECTORY });
  let held = false;
  try {
    const target = linkTarget(parent, name);
    if (target !== undefined) {
      if (linksLeft === 0) throw new VarveError("RUNTIME_MOUNT_POINT", `the mount point "${path}" is a chain of too many links`);
      make(root, target.startsWith("/") ? target : `${above}/${target}`, point, stubs, linksLeft - 1);
      return;
    }
    const before = fstatSync(parent, { bigint: true });
    const child = `${fdPath(parent)}/${name}`;
    if (point.kind === "folder") mkdirSync(child, { mode: 0o755 });
    else closeSync(openSync(child, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW, 0o644));
    if (point.keep === true) return;
    stubs.push({ parent, name, kind: point.kind, made: lstatSync(child, { bigint: true }), before, after: fstatSync(parent, { bigint: true }) });
    held = true;
  } finally {
    if (!held) closeSync(parent);
  }
}

function exists(root: number, path: string): boolean {
  try {
    closeSync(openInRoot(root, path, { flags: openFlags.path }));
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}

/** Where a link points; undefined when `name` is not there. */
function linkTarget(parent: number, name: string): string | undefined {
  let fd: number;
  try {
    fd = openInRoot(parent, name, { flags: openFlags.path, followLast: false });
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
  try {
    return readLinkAt(fd);
  } finally {
    closeSync(fd);
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
