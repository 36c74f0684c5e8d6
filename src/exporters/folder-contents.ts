import { lstatSync, readdirSync, type Dirent } from "node:fs";
import { VarveError } from "../errors/index.ts";
import { decodeName, removePath } from "../tree/index.ts";

/** A root that goes into a folder. */
export interface SourceRoot {
  readonly path: string;
  /** Below the output's folder; undefined for the folder itself. */
  readonly folder: string | undefined;
  readonly name: string;
}

/** Fails with OUTPUT_COLLISION when two roots would write the same file. Folders may be in several. */
export function checkCollisions(roots: readonly SourceRoot[]): void {
  const seen = new Map<string, string>();
  const shared = roots.filter(({ folder }) => folder === undefined);
  if (shared.length < 2) return;
  for (const { path, name } of shared) {
    walk(path, "", (file) => {
      const other = seen.get(file);
      if (other !== undefined) {
        throw new VarveError(
          "OUTPUT_COLLISION",
          `cannot overwrite ${Buffer.from(file, "latin1").toString()} from ${other} with ${name} when split option is disabled`,
          { hint: "leave platform-split=false away: each platform gets a folder of its own then" },
        );
      }
      seen.set(file, name);
    });
  }
}

/** Calls for everything in a folder that is no folder itself. Names are bytes as latin1, as links are no way down. */
function walk(folder: string, below: string, onFile: (name: string) => void): void {
  for (const { name, isFolder } of list(pathOf(folder, below))) {
    const path = below === "" ? name : `${below}/${name}`;
    if (isFolder) walk(folder, path, onFile);
    else onFile(path);
  }
}

/** Removes everything from a folder that no root has there. Links are removed, never followed, whatever changes meanwhile. */
export async function removeOthers(target: string, roots: readonly SourceRoot[]): Promise<void> {
  const others: string[] = [];
  /** `within`: what the roots have in this folder; `rest` is the way down to where a root begins. Bytes as latin1. */
  const visit = (below: string, within: readonly { readonly path: string; readonly rest: readonly string[] }[]): void => {
    for (const { name, isFolder } of list(pathOf(target, below))) {
      const path = below === "" ? name : `${below}/${name}`;
      const having = within.flatMap(({ path: root, rest }) => {
        const [next, ...further] = rest;
        if (next !== undefined) return next === name ? [{ path: root, rest: further }] : [];
        return has(root, name) ? [{ path: `${root}/${name}`, rest: [] }] : [];
      });
      if (having.length === 0) others.push(decodeName(Buffer.from(path, "latin1")));
      else if (isFolder) visit(path, having);
    }
  };
  const asBytes = (text: string): string => Buffer.from(text).toString("latin1");
  visit(
    "",
    roots.map(({ path, folder }) => ({ path: asBytes(path), rest: folder === undefined ? [] : [asBytes(folder)] })),
  );
  for (const path of others) await removePath(target, { path: `/${path}`, allowNotFound: true, allowWildcard: false });
}

function list(folder: Buffer): readonly { readonly name: string; readonly isFolder: boolean }[] {
  return readdirSync(folder, { withFileTypes: true, encoding: "buffer" }).map((entry: Dirent<Buffer>) => ({
    name: entry.name.toString("latin1"),
    isFolder: entry.isDirectory(),
  }));
}

function has(folder: string, name: string): boolean {
  return lstatSync(Buffer.from(`${folder}/${name}`, "latin1"), { throwIfNoEntry: false }) !== undefined;
}

function pathOf(folder: string, below: string): Buffer {
  return Buffer.concat([Buffer.from(folder), Buffer.from(below === "" ? "" : `/${below}`, "latin1")]);
}
