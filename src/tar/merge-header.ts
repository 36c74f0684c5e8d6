import type { HeaderBlock } from "./header-block.ts";
import { paxCount, paxTime, type PaxRecord } from "./pax.ts";

/** What the entries before an entry said about it. */
export interface Extras {
  readonly globals: Map<string, Buffer>;
  readonly records: readonly PaxRecord[];
  readonly longPath: Buffer | undefined;
  readonly longLink: Buffer | undefined;
  /** Bytes that all this took. */
  readonly bytes: number;
}

export interface MergedHeader extends HeaderBlock {
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

const xattrPrefix = "SCHILY.xattr.";
const noXattrs: ReadonlyMap<string, Buffer> = new Map();

/** Sets apart what a global header may say for all files from what is each file's own. */
export function splitPax(records: readonly PaxRecord[]): { common: PaxRecord[]; own: PaxRecord[] } {
  const isOwn = ([key]: PaxRecord): boolean =>
    key === "path" || key === "linkpath" || key === "size" || key.startsWith("GNU.sparse.");
  return { common: records.filter((record) => !isOwn(record)), own: records.filter(isOwn) };
}

/** The header with GNU's long names, then PAX records over it. An empty value takes back what was said before. */
export function mergeHeader(header: HeaderBlock, extras: Extras): MergedHeader {
  const { globals, records, longPath = header.path, longLink = header.linkPath } = extras;
  if (globals.size === 0 && records.length === 0) return { ...header, path: longPath, linkPath: longLink, xattrs: noXattrs };
  const said = new Map([...globals, ...records]);
  const find = <T>(key: string, otherwise: T, read: (value: Buffer) => T): T => {
    const value = said.get(key);
    return value === undefined || value.length === 0 ? otherwise : read(value);
  };
  const count = (key: string, otherwise: number): number => find(key, otherwise, (value) => paxCount(key, value));
  const same = (value: Buffer): Buffer => value;
  const text = (value: Buffer): string => value.toString();
  const xattrs = new Map<string, Buffer>();
  for (const [key, value] of said) if (key.startsWith(xattrPrefix)) xattrs.set(key.slice(xattrPrefix.length), value);
  return {
    ...header,
    path: find("path", longPath, same),
    linkPath: find("linkpath", longLink, same),
    size: count("size", header.size),
    uid: count("uid", header.uid),
    gid: count("gid", header.gid),
    mtime: find("mtime", header.mtime, paxTime),
    uname: find("uname", header.uname, text),
    gname: find("gname", header.gname, text),
    xattrs,
  };
}
