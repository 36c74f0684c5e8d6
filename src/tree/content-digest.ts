import { createHash, type Hash } from "node:crypto";
import { encodePath } from "./names.ts";
import { selectSources, type ContentSelector, type SelectedEntry } from "./selection.ts";
import type { Tree, TreeEntry } from "./tree.ts";

/**
 * A digest (`sha256:…`) of what a selector takes: names, types, permissions, owners, link targets, device numbers, kept
 * attributes, data, and which names are one file. Not: times, sizes of folders, inode numbers. Equal selections have
 * equal digests; whatever a copy of them shows, but for times, makes them differ (BuildKit's rule, `cache/contenthash`;
 * the values are Varve's own). `onFile` is told of everything that counts, in order. Errors: those of {@link selectSources},
 * and of reading.
 */
export function contentDigest(tree: Tree, selector: ContentSelector, onFile?: (file: ListedFile) => void): string {
  const hash = createHash("sha256");
  for (const { path, entry, header } of hashedEntries(tree, selector)) {
    feed(hash, header);
    // the folder whose contents alone are taken counts for nothing itself
    if (header[2] !== "contents") onFile?.({ path, entry, content: header.slice(7).join(":") });
  }
  return `sha256:${hash.digest("hex")}`;
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
function feed(hash: Hash, header: readonly (string | number)[]): void {
  hash.update(encodePath(`${header.join("\0")}\0`));
}

function* hashedEntries(
  tree: Tree,
  selector: ContentSelector,
): Generator<{ path: string; entry: TreeEntry; header: readonly (string | number)[] }> {
  for (const source of selectSources(tree, selector)) {
    // Hard links are kept within one source: the second name of a file is a link to the first.
    const firstNames = new Map<string, string>();
    // The name of what is named literally is part of the action that names it; names that a pattern found are not.
    const name = selector.wildcard ? source.name : "";
    for (const selected of source.entries()) {
      const path = selected.relative === "" ? source.path : `${source.path === "/" ? "" : source.path}/${selected.relative}`;
      yield { path, entry: selected.entry, header: [name, ...headerOf(tree, selected, { selector, firstNames })] };
    }
  }
}

function headerOf(
  tree: Tree,
  { entry, relative, onTheWay }: SelectedEntry,
  { selector, firstNames }: { selector: ContentSelector; firstNames: Map<string, string> },
): (string | number)[] {
  // The contents of a folder go into a folder made for them: nothing of its own shows but its time.
  if (relative === "" && entry.type === "directory" && selector.dirContentsOnly) {
    return ["", "contents", "", "", "", "", "", "", "", ""];
  }
  const sameFile = entry.type === "file" && entry.nlink > 1 ? `${entry.dev}:${entry.ino}` : undefined;
  const first = sameFile === undefined ? undefined : firstNames.get(sameFile);
  if (sameFile !== undefined && first === undefined) firstNames.set(sameFile, relative);
  return [
    relative,
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
