import { createHash, hash as hashText, type Hash } from "node:crypto";
import { encodePath } from "./names.ts";
import { baseName, childPath } from "./path-text.ts";
import { selectSources, type ContentSelector, type SelectedEntry, type SelectedSource } from "./selection.ts";
import type { Tree, TreeEntry } from "./tree.ts";

/**
 * A digest (`sha256:…`) of what a selector takes: names, types, permissions, owners, link targets, device numbers, kept
 * attributes, data, and which names are one file. Not: times, sizes of folders, inode numbers. Equal selections have
 * equal digests; whatever a copy of them shows, but for times, makes them differ (BuildKit's rule, `cache/contenthash`;
 * the values are Varve's own). `sink` is told what it is made of. Errors: those of {@link selectSources}, and of reading.
 *
 * A folder counts by the digest of its own entries and the digests of the folders in it, so that one in which nothing
 * changed need not be gone through.
 */
export function contentDigest(tree: Tree, selector: ContentSelector, sink: ContentSink = {}): string {
  const hash = createHash("sha256");
  const { includePatterns, excludePatterns, requiredPaths } = selector;
  const whole = includePatterns.length + excludePatterns.length + requiredPaths.length === 0;
  for (const source of selectSources(tree, selector)) {
    const headers = headersOf(tree, source, selector, sink);
    const top = headers.next().value;
    if (top === undefined) continue;
    feed(hash, top.header);
    if (source.entry.type !== "directory") continue;
    hash.update(whole ? digestFolder(tree, source, { selector, sink }) : digestSelected(headers));
  }
  tree.settle();
  return `sha256:${hash.digest("hex")}`;
}

/** A folder on the way: its own entries so far, and the digests of the folders in it, in order. */
interface Level {
  readonly relative: string;
  readonly own: Hash;
  readonly below: string[];
}

function openLevel(relative: string): Level {
  return { relative, own: createHash("sha256"), below: [] };
}

function closeLevel(own: string, below: readonly string[]): string {
  return hashText("sha256", `${own}\n${below.join("\n")}`);
}

function digestSelected(headers: Iterator<HashedEntry, void>): string {
  const root = openLevel("");
  const levels = [root];
  const closeBelow = (depth: number): void => {
    while (levels.length > depth) {
      const level = levels.pop();
      if (level !== undefined) levels.at(-1)?.below.push(closeLevel(level.own.digest("hex"), level.below));
    }
  };
  for (let next = headers.next(); next.done !== true; next = headers.next()) {
    const { entry, relative, header } = next.value;
    let depth = levels.length;
    while (depth > 1 && !relative.startsWith(`${levels[depth - 1]?.relative}/`)) depth -= 1;
    closeBelow(depth);
    feed((levels.at(-1) ?? root).own, header);
    if (entry.type === "directory") levels.push(openLevel(relative));
  }
  closeBelow(1);
  return closeLevel(root.own.digest("hex"), root.below);
}

/** {@link digestSelected} of everything in a folder, from what is remembered of it where that holds. */
function digestFolder(
  tree: Tree,
  source: SelectedSource,
  { selector, sink }: { readonly selector: ContentSelector; readonly sink: ContentSink },
): string {
  const context = { selector, sink, firstNames: new Map<string, string>() };
  const top = openFolder(tree, source.entry.path, "", context);
  const open = [top];
  for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
    const name = folder.names[folder.below.length];
    if (name === undefined) {
      open.pop();
      open.at(-1)?.below.push(closeLevel(folder.own, folder.below));
      continue;
    }
    const relative = folder.relative === "" ? name : `${folder.relative}/${name}`;
    open.push(openFolder(tree, childPath(folder.path, name), relative, context));
  }
  return closeLevel(top.own, top.below);
}

interface OpenFolder {
  readonly path: string;
  readonly relative: string;
  readonly own: string;
  /** Folders in it, and the digests of the first ones of them. */
  readonly names: readonly string[];
  readonly below: string[];
}

function openFolder(
  tree: Tree,
  path: string,
  relative: string,
  context: { selector: ContentSelector; sink: ContentSink; firstNames: Map<string, string> },
): OpenFolder {
  const listing = tree.list(path);
  const { known } = listing;
  if (known !== undefined) context.sink.onFolder?.(path, known.digest, undefined);
  if (known !== undefined) return { path, relative, own: known.digest, names: known.folders, below: [] };
  const lines: string[] = [];
  const names: string[] = [];
  let linked = false;
  for (const entry of listing.entries()) {
    const name = baseName(entry.path);
    const below = relative === "" ? name : `${relative}/${name}`;
    if (entry.type === "directory") names.push(name);
    else linked ||= entry.nlink > 1;
    lines.push(printHeader([name, ...headerOf(tree, { entry, relative: below, onTheWay: false }, context)]));
  }
  const text = lines.join("");
  const own = hashText("sha256", encodePath(text));
  context.sink.onFolder?.(path, own, text);
  // The other names of a file may lie anywhere: such a folder is gone through each time.
  if (!linked) listing.keep(own);
  return { path, relative, own, names, below: [] };
}

/** Takes what a digest is made of: all that counts comes either file by file or in folders that are taken whole. */
export interface ContentSink {
  readonly onFile?: (file: ListedFile) => void;
  /**
   * A folder with the digest of its entries. `entries`: ten texts for each, all ended by NUL (name, type, how it was chosen,
   * mode, user, group, size, device, the name that it is a link to, content); undefined where the digest was remembered.
   */
  readonly onFolder?: (path: string, digest: string, entries: string | undefined) => void;
}

/** One selected file, for telling which one changed. */
export interface ListedFile {
  /** Absolute in the tree, as selected. */
  readonly path: string;
  readonly entry: TreeEntry;
  /** Differs whenever the data, the link's target, the device or the kept attributes do, or the name that it is a link to. */
  readonly content: string;
}

/** No field holds NUL, and their number is fixed: the concatenation can be read in one way only. */
function printHeader(header: readonly (string | number)[]): string {
  return `${header.join("\0")}\0`;
}

function feed(hash: Hash, header: readonly (string | number)[]): void {
  hash.update(encodePath(printHeader(header)));
}

interface HashedEntry {
  readonly entry: TreeEntry;
  readonly relative: string;
  readonly header: readonly (string | number)[];
}

function* headersOf(
  tree: Tree,
  source: SelectedSource,
  selector: ContentSelector,
  { onFile }: ContentSink,
): Generator<HashedEntry, void> {
  // Hard links are kept within one source: the second name of a file is a link to the first.
  const firstNames = new Map<string, string>();
  for (const selected of source.entries()) {
    const { relative, entry } = selected;
    // The name of what is named literally is part of the action that names it; names that a pattern found are not.
    const name = relative !== "" ? baseName(relative) : selector.wildcard ? source.name : "";
    const header = headerOf(tree, selected, { selector, firstNames });
    // the folder whose contents alone are taken counts for nothing itself
    if (header[0] !== "contents") {
      const path = relative === "" ? source.path : `${source.path === "/" ? "" : source.path}/${relative}`;
      onFile?.({ path, entry, content: header.slice(5).join(":") });
    }
    yield { entry, relative, header: [name, ...header] };
  }
}

function headerOf(
  tree: Tree,
  { entry, relative, onTheWay }: SelectedEntry,
  { selector, firstNames }: { selector: ContentSelector; firstNames: Map<string, string> },
): (string | number)[] {
  // The contents of a folder go into a folder made for them: nothing of its own shows but its time.
  if (relative === "" && entry.type === "directory" && selector.dirContentsOnly) {
    return ["contents", "", "", "", "", "", "", "", ""];
  }
  const sameFile = entry.type === "file" && entry.nlink > 1 ? `${entry.dev}:${entry.ino}` : undefined;
  const first = sameFile === undefined ? undefined : firstNames.get(sameFile);
  if (sameFile !== undefined && first === undefined) firstNames.set(sameFile, relative);
  return [
    entry.type === "socket" ? "file" : entry.type, // copied as an empty file
    onTheWay ? "way" : "",
    entry.type === "symlink" ? 0 : entry.mode,
    entry.uid,
    entry.gid,
    entry.type === "file" ? entry.size : 0,
    `${entry.device.major}:${entry.device.minor}`,
    first ?? "",
    first === undefined ? contentOf(tree, entry) : "",
  ];
}

function contentOf(tree: Tree, entry: TreeEntry): string {
  // A socket becomes an empty file: its content is that of one.
  return entry.type === "socket" ? emptyFile : tree.contentOf(entry);
}

const emptyFile = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
