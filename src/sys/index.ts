/**
 * Linux calls that Node lacks: mounts, resolving inside a root, extended attributes, device nodes, times of links, file
 * locks, process limits. Everything is synchronous and throws {@link SysError}. koffi is loaded by the first call.
 * Nothing here decides anything: no policy, no retries beyond what one call needs, no path of its own.
 */
export { SysError, hasCode } from "./sys-error.ts";
export { bindFd, bindMount, makePrivate, mount, mountFlags, pivotRoot, unmount, type BindOptions } from "./mount.ts";
export { mountOverlay, type OverlayOptions } from "./overlay.ts";
export { fdPath, openFlags, openInRoot, openPath, readLinkAt, type OpenInRootOptions } from "./open-in-root.ts";
export { lgetxattr, llistxattr, lremovexattr, lsetxattr } from "./xattr.ts";
export {
  flock,
  futimens,
  makeDevice,
  makeWhiteout,
  mknod,
  splitDevice,
  statfsType,
  syncfs,
  utimensNoFollow,
  type DeviceNumber,
  type FileTime,
} from "./files.ts";
export {
  copySmallFile,
  readSmallFile,
  readStatRecord,
  recordMode,
  smallFileBytes,
  statMany,
  statRecordBytes,
  writeStatRecord,
  type SmallCopy,
  type StatFields,
} from "./many-files.ts";
export { connectPackets, type PacketSocket } from "./packet-socket.ts";
export { makeRaw, makeUnbuffered } from "./terminal.ts";
export { getrlimit, setrlimit, type Resource, type Rlimit } from "./process.ts";
