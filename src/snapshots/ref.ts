/** The result of a vertex. */
export type Ref = StackRef | FolderRef;

/** A root file system: snapshots on top of one another, bottom first. No layers: an empty root. */
export interface StackRef {
  readonly kind: "stack";
  readonly layers: readonly number[];
}

/** A folder of the user's, read in place: the build context. */
export interface FolderRef {
  readonly kind: "folder";
  /** Absolute path on this machine. */
  readonly path: string;
  /** Patterns of `.dockerignore`. */
  readonly exclude: readonly string[];
  /** Only these paths are ever read; empty for all. */
  readonly only: readonly string[];
}

export function isStack(ref: Ref): ref is StackRef {
  return ref.kind === "stack";
}
