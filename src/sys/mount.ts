import { closeSync } from "node:fs";
import { atCwd, call, cString, syscallNumbers } from "./libc.ts";
import { hasCode } from "./sys-error.ts";

/** MS_* of mount(2). */
export const mountFlags = {
  readonly: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  remount: 32,
  noatime: 1024,
  nodiratime: 2048,
  bind: 4096,
  move: 8192,
  recursive: 16384,
  private: 1 << 18,
  slave: 1 << 19,
  relatime: 1 << 21,
  strictatime: 1 << 24,
} as const;

const atEmptyPath = 0x1000;
const atRecursive = 0x8000;
const openTreeClone = 1;
const openTreeCloexec = 0x80000;
const moveEmptySource = 0x4;
const moveFollowTarget = 0x10;

/** mount(2). `flags` are {@link mountFlags} added up. */
export function mount(
  source: string | Buffer | undefined,
  target: string | Buffer,
  fsType: string | undefined,
  flags: number,
  data?: string,
): void {
  const pointer = (text: string | Buffer | undefined): Buffer | null => (text === undefined ? null : cString(text));
  call("mount", target, (c) => c.mount(pointer(source), cString(target), pointer(fsType), flags, pointer(data)));
}

/** umount2(2). `detach` takes it out of the tree at once and lets go when the last user is gone. Never follows a link at the end. */
export function unmount(target: string | Buffer, { detach = false }: { readonly detach?: boolean } = {}): void {
  call("umount", target, (c) => c.umount2(cString(target), 8 | (detach ? 2 : 0)));
}

/** Mounts and unmounts below `path` no longer travel to or from the namespace this one was copied from. */
export function makePrivate(path = "/"): void {
  mount(undefined, path, undefined, mountFlags.recursive | mountFlags.private);
}

/** pivot_root(2): `newRoot` (a mount point) becomes `/` of the mount namespace, the old root appears at `putOld`. */
export function pivotRoot(newRoot: string, putOld: string): void {
  call("pivot_root", newRoot, (c) => c.pivotRoot(syscallNumbers.pivotRoot, cString(newRoot), cString(putOld)));
}

export interface BindOptions {
  /** Default false. Where mount_setattr is missing (before Linux 5.12), mounts below `source` stay writable. */
  readonly readonly?: boolean;
  /** Also what is mounted below `source`. Default false. */
  readonly recursive?: boolean;
}

/** Shows the file or folder `source` at `target` (which exists and has the same kind). Links are followed in both. */
export function bindMount(source: string | Buffer, target: string | Buffer, options: BindOptions = {}): void {
  bind(atCwd, source, target, options);
}

/** Like {@link bindMount}, for the file or folder that `fd` (O_PATH is enough) names, whatever its path is by now. */
export function bindFd(fd: number, target: string | Buffer, options: BindOptions = {}): void {
  bind(fd, "", target, options);
}

function bind(
  fd: number,
  path: string | Buffer,
  target: string | Buffer,
  { readonly = false, recursive = false }: BindOptions,
): void {
  const subtree = recursive ? atRecursive : 0;
  let tree: number;
  try {
    const flags = openTreeClone | openTreeCloexec | subtree | (fd === atCwd ? 0 : atEmptyPath);
    tree = call("open_tree", path, (c) => c.openTree(syscallNumbers.openTree, fd, cString(path), flags));
  } catch (error) {
    if (!hasCode(error, "ENOSYS")) throw error;
    return bindTheOldWay(fd === atCwd ? path : `/proc/self/fd/${fd}`, target, {
      readonly,
      recursive,
    });
  }
  try {
    const frozen = readonly && setReadonly(tree, subtree);
    attach(tree, target);
    if (readonly && !frozen) remountReadonly(target);
  } finally {
    closeSync(tree);
  }
}

/** move_mount(2) of a mount that hangs nowhere yet. The target may be a /proc/self/fd path. */
export function attach(mountFd: number, target: string | Buffer): void {
  const flags = moveEmptySource | moveFollowTarget;
  call("move_mount", target, (c) => c.moveMount(syscallNumbers.moveMount, mountFd, cString(""), atCwd, cString(target), flags));
}

/** False where the kernel has no mount_setattr(2). */
function setReadonly(tree: number, subtree: number): boolean {
  const attributes = Buffer.alloc(32);
  attributes.writeBigUInt64LE(1n, 0); // attr_set = MOUNT_ATTR_RDONLY
  try {
    call("mount_setattr", undefined, (c) =>
      c.mountSetattr(syscallNumbers.mountSetattr, tree, cString(""), atEmptyPath | subtree, attributes, attributes.length),
    );
    return true;
  } catch (error) {
    if (hasCode(error, "ENOSYS")) return false;
    throw error;
  }
}

/** The way of kernels before 5.2; exported for its test. */
export function bindTheOldWay(
  source: string | Buffer,
  target: string | Buffer,
  { readonly = false, recursive = false }: BindOptions,
): void {
  mount(source, target, undefined, mountFlags.bind | (recursive ? mountFlags.recursive : 0));
  if (readonly) remountReadonly(target);
}

/** A remount sets all flags anew, and a user namespace may not drop those it inherited: so the present ones are said again. */
function remountReadonly(target: string | Buffer): void {
  const answer = Buffer.alloc(256);
  call("statfs", target, (c) => c.statfs(cString(target), answer));
  const present = Number(answer.readBigUInt64LE(80)); // f_flags, ST_* of statvfs.h
  const { nosuid, nodev, noexec, noatime, nodiratime } = mountFlags;
  const kept = present & (nosuid | nodev | noexec | noatime | nodiratime);
  const relatime = (present & 4096) === 0 ? 0 : mountFlags.relatime;
  mount(undefined, target, undefined, mountFlags.bind | mountFlags.remount | mountFlags.readonly | kept | relatime);
}
