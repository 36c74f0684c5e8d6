import { task } from "../worker/index.ts";
import type { Digest } from "../oci/index.ts";
import type { FolderChange } from "./list-changes.ts";
import type { KnownMembers } from "./packed-members.ts";

/** Unpacks a layer's blob into the folder of an active snapshot. */
export interface ApplyParams {
  /** Path of the blob, in any compression that is known by its first bytes. */
  readonly blob: string;
  /** What the blob was said to be; checked against the bytes while they are read. */
  readonly digest: Digest;
  readonly diffId: Digest;
  /** Folders of the layers below, bottom first. */
  readonly lowers: readonly string[];
  readonly snapshot: string;
}

export interface ApplyProgress {
  /** Bytes of the blob read so far. */
  readonly current: number;
}

export const applyTask = task<ApplyParams, { readonly bytes: number }, ApplyProgress>("layers.apply");

/** Makes a layer's tar of a snapshot, and a blob of it unless only its digest is wanted. */
export interface PackParams {
  /** Folders of the step's changes, bottom first. */
  readonly snapshot: readonly string[];
  readonly lowers: readonly string[];
  /** "none" computes the digest of the tar and keeps nothing. */
  readonly compression: "none" | "uncompressed" | "gzip" | "zstd";
  readonly level?: number;
  /** Where the blob is written; absent for "none". */
  readonly path?: string;
  /** Seconds since 1970 that no file's time goes beyond. */
  readonly clampMtime?: number;
  /** Blobs with members that may be taken. */
  readonly known?: readonly KnownMembers[];
  /** Names from the root on that the layer does not have. */
  readonly leaveOut?: readonly string[];
}

export interface PackResult {
  readonly diffId: Digest;
  /** Bytes of the tar. */
  readonly diffSize: number;
  /** The blob; absent for "none". */
  readonly digest?: Digest;
  readonly size?: number;
  /** Of a compressed blob. */
  readonly members?: Uint8Array;
}

export const packTask = task<PackParams, PackResult, { readonly current: number }>("layers.pack");

/** Says what an overlay's upper folder changed. */
export interface ChangesParams {
  readonly upper: string;
  /** Folders of the layers below, bottom first. */
  readonly lowers: readonly string[];
  /** Names from the root on where something may have been put only to mount over it: see {@link FoundChanges}. */
  readonly mountPoints: readonly string[];
}

export interface FoundChanges {
  /** By path, parents first. */
  readonly changes: readonly FolderChange[];
  /** Those of `mountPoints` that are no more than that, which count as no change. */
  readonly leftOut: readonly string[];
}

export const changesTask = task<ChangesParams, FoundChanges>("layers.changes");

export interface UnpackContextParams {
  /** Path of the tar, compressed or not. */
  readonly tar: string;
  /** An empty folder. */
  readonly target: string;
}

/** Unpacks a build context that came as an archive. */
export const unpackContextTask = task<UnpackContextParams, void>("layers.unpack-context");
