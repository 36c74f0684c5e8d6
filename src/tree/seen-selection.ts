import { constants } from "node:fs";
import { recordMode, statRecordBytes } from "../sys/index.ts";
import { childPath } from "./path-text.ts";
import { selectSources, type ContentSelector } from "./selection.ts";
import type { SeenFolder, Tree } from "./tree.ts";

/** Everything in one selected folder, as the last digest of it saw it: by path below that folder, "" being itself. */
export type SeenSelection = ReadonlyMap<string, SeenFolder>;

/** What makes a later selection of an earlier one. Paths are below the selected folder. */
export interface SelectionChange {
  /** New, or with other content or metadata; folders before what is in them. A new folder's entries are among them. */
  readonly changed: readonly string[];
  /** Gone, folders with everything in them. */
  readonly removed: readonly string[];
  /** Whether a folder is among what is new. */
  readonly hasNewFolder: boolean;
}

/**
 * What a digest of a selector just saw; undefined where that does not tell all that a copy shows: patterns, several
 * sources, hard links, sockets.
 */
export function seenSelection(tree: Tree, selector: ContentSelector): SeenSelection | undefined {
  if (selector.includePatterns.length + selector.excludePatterns.length + selector.requiredPaths.length > 0) return undefined;
  const [source, ...more] = selectSources(tree, selector);
  if (source?.entry.type !== "directory" || more.length > 0) return undefined;
  const found = new Map<string, SeenFolder>();
  const open = [{ path: source.entry.path, relative: "" }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const folder = tree.seen(next.path);
    if (folder === undefined) return undefined;
    found.set(next.relative, folder);
    for (const [place, name] of folder.names.entries()) {
      const at = place * statRecordBytes;
      const type = recordMode(folder.records, at) & constants.S_IFMT;
      const isFolder = type === constants.S_IFDIR;
      if (folder.contents[place] === "" || (!isFolder && folder.records.readUInt32LE(at) > 1)) return undefined;
      if (isFolder) open.push({ path: childPath(next.path, name), relative: below(next.relative, name) });
    }
  }
  return found;
}

export function countEntries(selection: SeenSelection): number {
  let count = 0;
  for (const { names } of selection.values()) count += names.length;
  return count;
}

/** Undefined when something became of another type, or more than `maxEntries` changed: then a copy of all is as good. */
export function compareSelections(
  before: SeenSelection,
  after: SeenSelection,
  { maxEntries }: { readonly maxEntries: number },
): SelectionChange | undefined {
  const changed: string[] = [];
  const removed: string[] = [];
  let hasNewFolder = false;
  for (const [relative, folder] of after) {
    const old = before.get(relative);
    if (old !== undefined && isSameFolder(old, folder)) continue;
    const places = new Map(old?.names.map((name, place) => [name, place]));
    for (const [place, name] of folder.names.entries()) {
      const was = places.get(name);
      places.delete(name);
      const type = recordMode(folder.records, place * statRecordBytes) & constants.S_IFMT;
      if (old === undefined || was === undefined) {
        changed.push(below(relative, name));
        hasNewFolder ||= type === constants.S_IFDIR;
        continue;
      }
      if ((recordMode(old.records, was * statRecordBytes) & constants.S_IFMT) !== type) return undefined;
      if (!isSameEntry(old, was, folder, place)) changed.push(below(relative, name));
    }
    for (const name of places.keys()) removed.push(below(relative, name));
    if (changed.length + removed.length > maxEntries) return undefined;
  }
  // A folder's path is the beginning of the paths in it.
  return { changed: changed.sort(), removed, hasNewFolder };
}

function isSameFolder(a: SeenFolder, b: SeenFolder): boolean {
  return (
    a.records.equals(b.records) &&
    a.names.length === b.names.length &&
    a.names.every((name, place) => name === b.names[place]) &&
    a.contents.every((content, place) => content === b.contents[place])
  );
}

/** What a copy shows: mode, mtime, device, content. The owner is the build's, and inodes show nowhere. */
function isSameEntry(a: SeenFolder, placeA: number, b: SeenFolder, placeB: number): boolean {
  if (a.contents[placeA] !== b.contents[placeB]) return false;
  const [atA, atB] = [placeA * statRecordBytes, placeB * statRecordBytes];
  return [
    [12, 14],
    [48, 72],
  ].every(([from = 0, to = 0]) => a.records.compare(b.records, atB + from, atB + to, atA + from, atA + to) === 0);
}

function below(relative: string, name: string): string {
  return relative === "" ? name : `${relative}/${name}`;
}

/** As bytes, for a file. */
export function encodeSelection(selection: SeenSelection): Buffer {
  const parts: Buffer[] = [];
  for (const [relative, { names, records, contents }] of selection) {
    const texts = Buffer.from(JSON.stringify([relative, names, contents]));
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(texts.length, 0);
    lengths.writeUInt32LE(records.length, 4);
    parts.push(lengths, texts, records);
  }
  return Buffer.concat(parts);
}

/** The inverse of {@link encodeSelection}; undefined for what is cut or damaged. */
export function decodeSelection(bytes: Buffer): SeenSelection | undefined {
  const found = new Map<string, SeenFolder>();
  for (let at = 0; at < bytes.length;) {
    if (at + 8 > bytes.length) return undefined;
    const [textLength, recordLength] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
    const [texts, end] = [at + 8, at + 8 + textLength + recordLength];
    if (end > bytes.length) return undefined;
    const [relative, names, contents] = JSON.parse(bytes.toString("utf8", texts, texts + textLength)) as [
      string,
      string[],
      string[],
    ];
    if (names.length * statRecordBytes !== recordLength || contents.length !== names.length) return undefined;
    found.set(relative, { names, contents, records: bytes.subarray(texts + textLength, end) });
    at = end;
  }
  return found;
}
