import { createRequire } from "node:module";
import { SysError } from "./sys-error.ts";

type Pointer = Buffer | null;
type Word = number | bigint;

/** The C functions that the room calls, with the widths of 64-bit Linux. */
export interface Libc {
  mount(source: Pointer, target: Pointer, type: Pointer, flags: Word, data: Pointer): number;
  umount2(target: Pointer, flags: number): number;
  lsetxattr(path: Pointer, name: Pointer, value: Pointer, size: Word, flags: number): number;
  lgetxattr(path: Pointer, name: Pointer, value: Pointer, size: Word): number;
  llistxattr(path: Pointer, list: Pointer, size: Word): number;
  lremovexattr(path: Pointer, name: Pointer): number;
  utimensat(fd: number, path: Pointer, times: Pointer, flags: number): number;
  futimens(fd: number, times: Pointer): number;
  flock(fd: number, operation: number): number;
  syncfs(fd: number): number;
  statfs(path: Pointer, answer: Pointer): number;
  readlinkat(fd: number, path: Pointer, buffer: Pointer, size: Word): number;
  /** The calls of copies by the thousand take names as strings: koffi turns them into C's faster than a Buffer is made. */
  statx(fd: number, name: string, flags: number, mask: number, answer: Pointer): number;
  openat(fd: number, name: string, flags: number, mode: number): number;
  read(fd: number, buffer: Pointer, size: Word): number;
  write(fd: number, buffer: Pointer, size: Word): number;
  close(fd: number): number;
  fchown(fd: number, uid: number, gid: number): number;
  fchmod(fd: number, mode: number): number;
  flistxattr(fd: number, list: Pointer, size: Word): number;
  getrlimit(resource: number, limit: Pointer): number;
  setrlimit(resource: number, limit: Pointer): number;
  socket(family: number, type: number, protocol: number): number;
  connect(fd: number, address: Pointer, size: number): number;
  dup3(from: number, to: number, flags: number): number;
  tcgetattr(fd: number, settings: Pointer): number;
  tcsetattr(fd: number, when: number, settings: Pointer): number;
  cfmakeraw(settings: Pointer): void;
  /** syscall(2) for calls that older C libraries have no function for, by the shape of their arguments. */
  mknodat(number: number, fd: number, path: Pointer, mode: Word, device: Word): number;
  pivotRoot(number: number, newRoot: Pointer, putOld: Pointer): number;
  openat2(number: number, fd: number, path: Pointer, how: Pointer, size: Word): number;
  openTree(number: number, fd: number, path: Pointer, flags: Word): number;
  moveMount(number: number, fromFd: number, from: Pointer, toFd: number, to: Pointer, flags: Word): number;
  mountSetattr(number: number, fd: number, path: Pointer, flags: Word, attributes: Pointer, size: Word): number;
  fsopen(number: number, type: Pointer, flags: Word): number;
  fsconfig(number: number, fd: number, command: Word, key: Pointer, value: Pointer, aux: Word): number;
  fsmount(number: number, fd: number, flags: Word, attributes: Word): number;
}

export interface Loaded {
  readonly libc: Libc;
  readonly errno: () => number;
}

let loaded: Loaded | undefined;

/** Loads koffi and the C library's functions on the first call (about 6 ms), so that importing the room costs nothing. */
export function load(): Loaded {
  if (loaded !== undefined) return loaded;
  if (process.platform !== "linux") throw new SysError(38, `${process.platform} has no such call`);
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
  const library = koffi.load(null);
  const p = "const void *";
  const bind = (name: string, ...types: string[]): unknown => library.func(name, types[0] ?? "long", types.slice(1));
  const functions: Record<keyof Libc, unknown> = {
    mount: bind("mount", "int", p, p, p, "ulong", p),
    umount2: bind("umount2", "int", p, "int"),
    lsetxattr: bind("lsetxattr", "int", p, p, p, "size_t", "int"),
    lgetxattr: bind("lgetxattr", "long", p, p, "void *", "size_t"),
    llistxattr: bind("llistxattr", "long", p, "void *", "size_t"),
    lremovexattr: bind("lremovexattr", "int", p, p),
    utimensat: bind("utimensat", "int", "int", p, p, "int"),
    futimens: bind("futimens", "int", "int", p),
    flock: bind("flock", "int", "int", "int"),
    syncfs: bind("syncfs", "int", "int"),
    statfs: bind("statfs", "int", p, "void *"),
    readlinkat: bind("readlinkat", "long", "int", p, "void *", "size_t"),
    statx: bind("statx", "int", "int", "str", "int", "uint", "void *"),
    openat: bind("openat", "int", "int", "str", "int", "uint"),
    read: bind("read", "long", "int", "void *", "size_t"),
    write: bind("write", "long", "int", p, "size_t"),
    close: bind("close", "int", "int"),
    fchown: bind("fchown", "int", "int", "uint", "uint"),
    fchmod: bind("fchmod", "int", "int", "uint"),
    flistxattr: bind("flistxattr", "long", "int", "void *", "size_t"),
    getrlimit: bind("getrlimit", "int", "int", "void *"),
    setrlimit: bind("setrlimit", "int", "int", p),
    socket: bind("socket", "int", "int", "int", "int"),
    connect: bind("connect", "int", "int", p, "uint"),
    dup3: bind("dup3", "int", "int", "int", "int"),
    tcgetattr: bind("tcgetattr", "int", "int", "void *"),
    tcsetattr: bind("tcsetattr", "int", "int", "int", p),
    cfmakeraw: bind("cfmakeraw", "void", "void *"),
    mknodat: bind("syscall", "long", "long", "int", p, "ulong", "ulong"),
    pivotRoot: bind("syscall", "long", "long", p, p),
    openat2: bind("syscall", "long", "long", "int", p, p, "size_t"),
    openTree: bind("syscall", "long", "long", "int", p, "ulong"),
    moveMount: bind("syscall", "long", "long", "int", p, "int", p, "ulong"),
    mountSetattr: bind("syscall", "long", "long", "int", p, "ulong", p, "size_t"),
    fsopen: bind("syscall", "long", "long", p, "ulong"),
    fsconfig: bind("syscall", "long", "long", "int", "ulong", p, p, "long"),
    fsmount: bind("syscall", "long", "long", "int", "ulong", "ulong"),
  };
  loaded = { libc: functions as Libc, errno: () => koffi.errno() };
  return loaded;
}

/** Runs one C function; a negative result becomes a {@link SysError} with its errno. */
export function call(syscall: string, path: string | Buffer | undefined, run: (libc: Libc) => number): number {
  const { libc, errno } = load();
  const result = run(libc);
  if (result < 0) throw new SysError(errno(), syscall, path);
  return result;
}

/** Like {@link call}, but these errno values come back negated, without the price of an exception. */
export function tryCall(
  syscall: string,
  path: string | Buffer | undefined,
  expected: readonly number[],
  run: (libc: Libc) => number,
): number {
  const { libc, errno } = load();
  const result = run(libc);
  if (result >= 0) return result;
  const number = errno();
  if (expected.includes(number)) return -number;
  throw new SysError(number, syscall, path);
}

/** A path or name as C wants it. A NUL inside would cut it short and name another file: EINVAL. */
export function cString(text: string | Buffer): Buffer {
  const bytes = typeof text === "string" ? Buffer.from(`${text}\0`) : Buffer.concat([text, nul]);
  if (bytes.indexOf(0) !== bytes.length - 1) throw new SysError(22, "a NUL byte in a path");
  return bytes;
}

const nul = Buffer.from([0]);

/** AT_FDCWD of fcntl.h: relative paths start at the working directory. */
export const atCwd = -100;

/** Numbers for syscall(2). Those from 424 on are the same everywhere; the older ones differ by architecture. */
export const syscallNumbers = {
  mknodat: process.arch === "x64" ? 259 : 33,
  pivotRoot: process.arch === "x64" ? 155 : 41,
  openTree: 428,
  moveMount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  openat2: 437,
  mountSetattr: 442,
} as const;
