import { hash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";

/**
 * The members (of gzip) or frames (of zstd) that a blob is made of, one row each: SHA-256 of what is in it, the first half
 * of the SHA-256 of its compressed bytes, where it begins in the blob, and how long it is.
 */
const rowBytes = 32 + 16 + 6 + 4;

/** A blob whose members may be taken for another, as `writeRow` listed them. */
export interface KnownMembers {
  /** Path of the blob. */
  readonly blob: string;
  readonly members: Uint8Array;
}

export interface MemberSource extends AsyncDisposable {
  /** The compressed bytes of a block, by the SHA-256 in hex of what is in it; undefined when no blob has them. */
  find(key: string): Promise<Buffer | undefined>;
}

/** Makes the row of a member. */
export function writeRow(key: string, member: Uint8Array, at: number): Buffer {
  const row = Buffer.alloc(rowBytes);
  row.write(key, 0, "hex");
  row.write(hash("sha256", member, "hex"), 32, 16, "hex");
  row.writeUIntBE(at, 48, 6);
  row.writeUInt32BE(member.length, 54);
  return row;
}

/**
 * Reads members out of blobs that were packed before. What cannot be read, or is not what it was, is as if it were not there:
 * it is only a matter of time to make it again.
 */
export function openMembers(sources: readonly KnownMembers[]): MemberSource {
  const files = new Map<string, Promise<FileHandle | undefined>>();
  const rows = new Map<string, { readonly blob: string; readonly row: Buffer }>();
  for (const { blob, members } of sources) {
    const all = Buffer.from(members.buffer, members.byteOffset, members.byteLength);
    for (let at = 0; at + rowBytes <= all.length; at += rowBytes) {
      const row = all.subarray(at, at + rowBytes);
      rows.set(row.toString("hex", 0, 32), { blob, row });
    }
  }
  const openBlob = (blob: string): Promise<FileHandle | undefined> => {
    const opening = files.get(blob) ?? open(blob, "r").catch(() => undefined);
    files.set(blob, opening);
    return opening;
  };
  return {
    async find(key) {
      const known = rows.get(key);
      if (known === undefined) return undefined;
      const file = await openBlob(known.blob);
      const member = Buffer.allocUnsafe(known.row.readUInt32BE(54));
      const read = await file?.read(member, 0, member.length, known.row.readUIntBE(48, 6)).catch(() => undefined);
      if (read?.bytesRead !== member.length) return undefined;
      return hash("sha256", member, "hex").startsWith(known.row.toString("hex", 32, 48)) ? member : undefined;
    },
    async [Symbol.asyncDispose]() {
      for (const opening of files.values()) await (await opening)?.close();
    },
  };
}
