import { call, cString, tryCall } from "./libc.ts";

const ERANGE = 34;
const ENODATA = 61;
const ENOTSUP = 95;

/** Attributes are small; the answer that does not fit is asked for again with the largest size the kernel allows. */
const scratch = Buffer.alloc(4096);
const largest = 65536;

/** Sets an extended attribute; a link's own, not its target's. */
export function lsetxattr(path: string | Buffer, name: string, value: Uint8Array, flags = 0): void {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  call(`lsetxattr ${name}`, path, (c) =>
    c.lsetxattr(cString(path), cString(name), bytes.length === 0 ? null : bytes, bytes.length, flags),
  );
}

/** The value, or undefined when there is none, or the file system keeps none. */
export function lgetxattr(path: string | Buffer, name: string): Buffer | undefined {
  return read(`lgetxattr ${name}`, path, (buffer) => (c) => c.lgetxattr(cString(path), cString(name), buffer, buffer.length));
}

/** The names of all attributes that we may see, in the file system's order; none where it keeps none. */
export function llistxattr(path: string | Buffer): string[] {
  const bytes = read("llistxattr", path, (buffer) => (c) => c.llistxattr(cString(path), buffer, buffer.length));
  if (bytes === undefined || bytes.length === 0) return [];
  return bytes.toString("utf8", 0, bytes.length - 1).split("\0");
}

/** Takes an attribute away; one that is not there is ENODATA. */
export function lremovexattr(path: string | Buffer, name: string): void {
  call(`lremovexattr ${name}`, path, (c) => c.lremovexattr(cString(path), cString(name)));
}

type Run = Parameters<typeof tryCall>[3];

function read(syscall: string, path: string | Buffer, into: (buffer: Buffer) => Run): Buffer | undefined {
  let buffer = scratch;
  let length = tryCall(syscall, path, [ERANGE, ENODATA, ENOTSUP], into(buffer));
  if (length === -ERANGE) {
    buffer = Buffer.alloc(largest);
    length = tryCall(syscall, path, [ENODATA, ENOTSUP], into(buffer));
  }
  return length < 0 ? undefined : Buffer.from(buffer.subarray(0, length));
}
