/**
 * Paths as strings with one character per byte: names in layers need not be UTF-8, and Buffers are clumsy to cut and to
 * compare. Comparing two such strings compares their bytes.
 */
export type BytePath = string;

/** The bytes of a path as given by Node. */
export function toBytePath(path: string | Uint8Array): BytePath {
  return (typeof path === "string" ? Buffer.from(path) : Buffer.from(path.buffer, path.byteOffset, path.byteLength)).toString(
    "latin1",
  );
}

/** What node:fs and the sys room take: a string where it means the same bytes, since that is faster. */
export function toFsPath(path: BytePath): string | Buffer {
  return /[\x80-\xff]/.test(path) ? Buffer.from(path, "latin1") : path;
}

/** For messages. */
export function showPath(path: BytePath): string {
  return Buffer.from(path, "latin1").toString();
}

/** Components of a path in a layer, cleaned as containerd does before it resolves: `.` goes, `..` takes its forerunner, never above the root. */
export function cleanParts(path: BytePath): BytePath[] {
  const parts: BytePath[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return parts;
}
