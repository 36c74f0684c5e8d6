import type { CacheRequest } from "../cache-mounts/index.ts";
import type { ExecMeta, ExecOp, FileAction } from "../llb/index.ts";
import { task } from "../worker/index.ts";
import type { ContentSelector, SelectionChange } from "../tree/index.ts";

/** A result as the worker reads it: folders of snapshots, bottom first, or a folder of the user's. */
export type WireRef =
  | { readonly kind: "stack"; readonly lowers: readonly string[] }
  | { readonly kind: "folder"; readonly path: string; readonly exclude: readonly string[]; readonly only: readonly string[] };

/** Runs the actions of a file op, in a chain, into one snapshot. */
export interface FileParams {
  readonly inputs: readonly WireRef[];
  readonly actions: readonly FileAction[];
  /** Folder of the active snapshot that takes the changes. */
  readonly snapshot: string;
  /** What makes the result of an earlier one, where `under` are its folders on top of the base's. For a single copy. */
  readonly change?: SelectionChange & { readonly under: readonly string[] };
}

/** Not `done`: the change cannot be made so that it is like a copy of all. */
export const fileTask = task<FileParams, { readonly done: boolean }>("ops.file");

/** A part of a result that an op reads; `optional` when it may be missing. */
export interface Reading {
  readonly selector: ContentSelector;
  readonly optional?: boolean;
}

/** Digest of what an op reads of a stack. */
export interface DigestParams {
  readonly lowers: readonly string[];
  readonly reading: Reading;
}

/** `files`: what the digest counts, as `packText` packs the text of a `FileList`; absent for too many. */
export const digestTask = task<DigestParams, { readonly digest: string; readonly files?: Uint8Array }>("ops.digest");

/** Runs a command in a root. */
export interface ExecParams {
  readonly meta: ExecMeta;
  /** What its programs are made for, as image platforms name it; empty for this machine's own. */
  readonly architecture: string;
  readonly network: ExecOp["network"];
  readonly security: ExecOp["security"];
  readonly mounts: readonly ExecMount[];
  /** `NAME=value`: variables that are secrets. */
  readonly secretEnv: readonly string[];
}

/** A mount with its parts on disk. `snapshot` takes what is written, where that is kept or must not reach the input. */
export interface ExecMount {
  readonly dest: string;
  readonly selector: string;
  readonly readonly: boolean;
  readonly source:
    | { readonly kind: "stack"; readonly lowers: readonly string[]; readonly snapshot?: string }
    | ({ readonly kind: "cache" } & CacheRequest)
    | { readonly kind: "tmpfs"; readonly sizeBytes: number }
    | ({ readonly kind: "secret"; readonly data: Uint8Array } & Ownership)
    | ({ readonly kind: "ssh"; readonly agent: string } & Ownership);
}

/** Of the file or socket that a step sees. */
interface Ownership {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export interface ExecOutput {
  readonly stream: 1 | 2;
  readonly data: Uint8Array;
}

export const execTask = task<ExecParams, { readonly exitCode: number; readonly signal?: string }, ExecOutput>("ops.exec");

/** Deletes folders that only the worker may be able to delete: their owners are subordinate ids. */
export const removeTask = task<{ readonly paths: readonly string[] }, void>("ops.remove");
