/** What the tests of this room build upon; no tests of its own. */
import {
  chmodSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { utimensNoFollow } from "../sys/index.ts";
import type { CopyAction } from "./copy-into.ts";
import { decodeName, encodePath } from "./names.ts";
import { openRootedFolder } from "./rooted-folder.ts";
import type { ContentSelector } from "./selection.ts";

/** What a test puts at a path: a folder (`{}`), a file's text, or more. Times are seconds; default 1,000,000. */
export type Planted =
  | string
  | {
      readonly text?: string;
      readonly link?: string;
      readonly sameAs?: string;
      readonly mode?: number;
      readonly owner?: [number, number];
      readonly time?: number;
    };

/** A temporary folder with these paths in it, removed after the test. Paths that end in `/` are folders. */
export function plant(t: TestContext, files: Readonly<Record<string, Planted>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), "varve-tree-"));
  chmodSync(root, 0o755);
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const specs = Object.entries(files).map(([path, planted]) => ({
    path,
    ...(typeof planted === "string" ? { text: planted } : planted),
  }));
  for (const { path, text, link, sameAs, mode, owner } of specs) {
    const at = join(root, path);
    mkdirSync(dirname(at), { recursive: true });
    if (path.endsWith("/")) mkdirSync(at, { recursive: true });
    else if (link !== undefined) symlinkSync(link, at);
    else if (sameAs !== undefined) linkSync(join(root, sameAs), at);
    else writeFileSync(encodePath(at), text ?? "");
    if (owner !== undefined) lchownSync(at, ...owner);
    if (link === undefined) chmodSync(encodePath(at), mode ?? (path.endsWith("/") ? 0o755 : 0o644));
  }
  setTimes(root, Object.fromEntries(specs.map(({ path, time }) => [`/${path.replace(/\/$/, "")}`, time])));
  return root;
}

function setTimes(root: string, times: Readonly<Record<string, number | undefined>>): void {
  const folder = openRootedFolder(root);
  const visit = (path: string): void => {
    const stats = folder.lstat(path);
    if (stats?.isDirectory() === true)
      for (const name of folder.names(path)) visit(path === "/" ? `/${name}` : `${path}/${name}`);
    const time = { sec: BigInt(times[path] ?? 1_000_000), nsec: 123_456_789 };
    utimensNoFollow(folder.place(path), { atime: time, mtime: time });
  };
  visit("/");
  folder.close();
}

/** A path's description, `type mode uid:gid mtime content`, for comparing. */
export function describe(root: string, path: string): string {
  const at = encodePath(join(root, path));
  const stats = lstatSync(at, { bigint: true });
  const rest = stats.isSymbolicLink()
    ? `-> ${decodeName(readlinkSync(at, { encoding: "buffer" }))}`
    : stats.isFile()
      ? readFileSync(at, "utf8")
      : "";
  const type = stats.isDirectory() ? "dir" : stats.isSymbolicLink() ? "link" : stats.isFile() ? "file" : "other";
  const mode = type === "link" ? "" : (Number(stats.mode) & 0o7777).toString(8);
  return `${type} ${mode} ${stats.uid}:${stats.gid} ${stats.mtimeNs / 1_000_000_000n} ${rest}`.trim();
}

/** All paths in a root, sorted. */
export function pathsIn(root: string): string[] {
  const folder = openRootedFolder(root);
  const out: string[] = [];
  const visit = (path: string): void => {
    for (const name of folder.names(path)) {
      const child = path === "/" ? `/${name}` : `${path}/${name}`;
      out.push(child);
      if (folder.lstat(child)?.isDirectory() === true) visit(child);
    }
  };
  visit("/");
  folder.close();
  return out;
}

/** A copy action as the frontend makes it for `COPY src dest`. */
export function copyOf(src: string, dest: string, changes: Partial<CopyAction> = {}): CopyAction {
  return {
    src,
    dest,
    mode: -1,
    modeStr: "",
    followSymlink: true,
    dirCopyContents: true,
    attemptUnpack: false,
    createDestPath: true,
    allowWildcard: true,
    allowEmptyWildcard: true,
    timestamp: -1,
    includePatterns: [],
    excludePatterns: [],
    alwaysReplaceExistingDestPaths: false,
    requiredPaths: [],
    ...changes,
  };
}

/** A selector for `path`. */
export function selectorFor(path: string, changes: Partial<ContentSelector> = {}): ContentSelector {
  return {
    path,
    wildcard: true,
    allowEmptyWildcard: true,
    followLinks: true,
    includePatterns: [],
    excludePatterns: [],
    requiredPaths: [],
    dirContentsOnly: true,
    ...changes,
  };
}
