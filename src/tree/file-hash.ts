import { createHash, hash } from "node:crypto";
import { fstatSync, readSync } from "node:fs";
import { VarveError } from "../errors/index.ts";
import { encodePath } from "./names.ts";
import { quote } from "./tree-error.ts";

const chunk = Buffer.allocUnsafeSlow(1 << 20);

/** SHA-256 in hex of everything in an open file. TREE_CHANGED when size or time are others at the end. */
export function hashFile(fd: number, path: string): string {
  const unchanged = watchFile(fd, path);
  const first = readSync(fd, chunk, 0, chunk.length, 0);
  let digest: string;
  if (first < chunk.length) digest = hash("sha256", chunk.subarray(0, first), "hex");
  else {
    const hasher = createHash("sha256");
    let at = 0;
    for (let size = first; size > 0; size = readSync(fd, chunk, 0, chunk.length, at)) {
      hasher.update(chunk.subarray(0, size));
      at += size;
    }
    digest = hasher.digest("hex");
  }
  unchanged();
  return digest;
}

/** Notes size and time of an open file; the returned check throws TREE_CHANGED when they are others by then. */
export function watchFile(fd: number, path: string): () => void {
  const before = fstatSync(fd, { bigint: true });
  return () => {
    const after = fstatSync(fd, { bigint: true });
    if (after.size !== before.size || after.mtimeNs !== before.mtimeNs) throw changedWhileRead(path);
  };
}

/** The error for a file that is not what it was a moment ago. */
export function changedWhileRead(path: string): VarveError {
  return new VarveError("TREE_CHANGED", `${quote(path)} changed while it was read`, {
    hint: "build again when nothing writes to it, or exclude it in .dockerignore",
    details: { path },
  });
}

/** SHA-256 in hex of a text's bytes. */
export function textDigest(text: string): string {
  return hash("sha256", encodePath(text), "hex");
}
