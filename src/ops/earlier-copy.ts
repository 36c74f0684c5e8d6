import { hash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FileAction } from "../llb/index.ts";
import { isStack, type FolderRef, type Ref, type StackRef } from "../snapshots/index.ts";
import {
  compareSelections,
  countEntries,
  decodeSelection,
  encodeSelection,
  seenSelection,
  selectorOf,
  type SelectionChange,
} from "../tree/index.ts";
import type { OpsOptions } from "./create-ops.ts";

/** A copy of fewer files than this is done again as a whole. */
const minEntries = 500;
/** One in so many entries may have changed; with more, a new whole copy is the better start for the next change. */
const maxChangedShare = 5;

/** What a copy of a folder of the user's can do with earlier ones. */
export interface EarlierCopy {
  /** A snapshot that the same step made of the same folder, and what changed since. */
  readonly start: { readonly under: number; readonly change: SelectionChange } | undefined;
  /** Notes what a whole copy was made of, once it is sure; `snapshotPath` is the folder of the snapshot. */
  note(snapshotPath: string): void;
  /** Offers the noted snapshot to later copies. */
  offer(stack: StackRef): void;
}

/**
 * Finds what a step that copies many files can start from: in most builds nearly all files are those of the last one. Undefined
 * for steps that it is no use to. Only for results of one COPY of one whole folder, on the same base. Times count here,
 * though they do not for the cache: what is made must be the same as a copy of all, byte for byte.
 */
export function findEarlierCopy(
  actions: readonly FileAction[],
  inputs: readonly Ref[],
  base: StackRef | undefined,
  { snapshots, folders }: OpsOptions,
): EarlierCopy | undefined {
  const [action, ...more] = actions;
  if (action?.kind !== "copy" || more.length > 0 || action.copy.attemptUnpack || !action.copy.dirCopyContents) return undefined;
  const folder = inputs[action.secondaryInput];
  if (folder === undefined || isStack(folder)) return undefined;
  const seen = seenSelection(folders.tree(folder), selectorOf(action.copy));
  if (seen === undefined || countEntries(seen) < minEntries) return undefined;
  const origin = hash("sha256", JSON.stringify([action, placeOf(folder), base?.layers ?? []]));
  let noted = false;
  return {
    start: findStart(),
    note(snapshotPath) {
      // what was copied is what the digest after it saw
      const copied = seenSelection(folders.tree(folder), selectorOf(action.copy));
      if (copied === undefined) return;
      writeFileSync(join(snapshotPath, selectionFile), encodeSelection(copied));
      noted = true;
    },
    offer({ layers }) {
      const id = layers.at(-1);
      if (noted && id !== undefined) snapshots.setOrigin(origin, id);
    },
  };

  function findStart(): EarlierCopy["start"] {
    const earlier = snapshots.findOrigin(origin);
    const before = earlier && readSelection(join(snapshots.pathOf(earlier.id), selectionFile));
    if (earlier === undefined || before === undefined || seen === undefined) return undefined;
    const change = compareSelections(before, seen, { maxEntries: Math.floor(countEntries(seen) / maxChangedShare) });
    // On an empty base a new folder would be marked as hiding what other layers have there: they may come below it later.
    if (change === undefined || (base === undefined && (change.hasNewFolder || change.removed.length > 0))) return undefined;
    return { under: earlier.id, change };
  }
}

/** Beside the files of a snapshot: what they were copied from. */
const selectionFile = "selection";

function placeOf({ path, exclude, only }: FolderRef): unknown {
  return [path, exclude, only];
}

function readSelection(path: string): ReturnType<typeof decodeSelection> {
  try {
    return decodeSelection(readFileSync(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
