import type { SourceRange } from "../errors/index.ts";
import type { BuildEvent } from "../events/index.ts";
import type { Descriptor, Digest } from "../oci/index.ts";

/** `died`: the process that built it ended without a word; `completedMs` is then the time of its last event. */
export type BuildStatus = "running" | "completed" | "error" | "canceled" | "died";

/** What is kept of a build. Times are milliseconds since 1970. */
export interface BuildRecord {
  /** 25 lower-case letters and digits. */
  readonly ref: string;
  /** As buildx derives it from the context's folder, the Dockerfile and the target; may be empty. */
  readonly name: string;
  readonly status: BuildStatus;
  readonly createdMs: number;
  readonly completedMs?: number;
  /** Pinned records are not removed for their age. */
  readonly pinned: boolean;
  readonly options: RecordedOptions;
  /** The Git checkout that the context lies in. */
  readonly vcs?: { readonly source?: string; readonly revision?: string };
  readonly error?: RecordedError;
  /** Zero for one that still runs, in a list; counted in `get`. */
  readonly steps: StepCounts;
  readonly warnings: number;
  readonly result?: RecordedResult;
  /** The events could not all be written: the disk was full. */
  readonly incomplete?: boolean;
}

export interface StepCounts {
  readonly total: number;
  readonly completed: number;
  readonly cached: number;
}

/** What a build was asked for. Of secrets and agents only the ids; URLs are without passwords. */
export interface RecordedOptions {
  /** An absolute path, a URL, `-` for one from a stream, or empty. */
  readonly context: string;
  /** An absolute path, a path in the context, a URL, or `-` for a text. */
  readonly dockerfile: string;
  readonly target?: string;
  readonly platforms?: readonly string[];
  readonly contexts?: Readonly<Record<string, string>>;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly tags?: readonly string[];
  readonly noCache?: true | readonly string[];
  readonly pull?: true;
  readonly network?: string;
  /** `name=address`. */
  readonly extraHosts?: readonly string[];
  readonly shmSizeBytes?: number;
  /** `name=soft:hard`. */
  readonly ulimits?: readonly string[];
  readonly outputs?: readonly RecordedOutput[];
  readonly secrets?: readonly string[];
  readonly ssh?: readonly string[];
  readonly allow?: readonly string[];
}

/** Where a result went, and what about it changes the image's bytes. */
export interface RecordedOutput {
  readonly type: string;
  readonly dest?: string;
  readonly rewriteTimestamp?: true;
  /** Seconds since 1970; null for none. */
  readonly sourceDateEpoch?: number | null;
}

export interface RecordedError {
  /** A code of the error catalogue. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  /** With the text of the Dockerfile, for an excerpt. */
  readonly where?: SourceRange;
  /** The step that failed. */
  readonly vertex?: string;
}

export interface RecordedResult {
  readonly imageId?: Digest;
  /** Sum of the image's uncompressed layers. */
  readonly sizeBytes?: number;
  /** The manifests that were made. */
  readonly manifests: readonly { readonly platform: string; readonly descriptor: Descriptor }[];
  readonly names: readonly string[];
}

export interface EventsOptions {
  /** Of a build that still runs: wait for the rest. Default: end with what there is. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

/** The builds of a store that were recorded. */
export interface History {
  /** Newest first. */
  list(): Promise<readonly BuildRecord[]>;
  /**
   * The ref that is meant by a ref, a unique beginning of one, `^N` (the Nth before the newest) or nothing (the newest).
   * Fails with HISTORY_NOT_FOUND and HISTORY_AMBIGUOUS.
   */
  resolve(name?: string): Promise<string>;
  /** Takes what {@link resolve} takes. */
  get(name?: string): Promise<BuildRecord>;
  /** Everything that was told while it was built, in order: logs, statuses and warnings as they came. Takes what {@link resolve} takes. */
  events(name?: string, options?: EventsOptions): AsyncIterable<BuildEvent>;
  /** Removes records with their logs; `"all"`: all but those that run. Returns the refs. A running one fails with HISTORY_RUNNING. */
  remove(names: readonly string[] | "all"): Promise<readonly string[]>;
  /** Whether age may remove it. */
  pin(name: string, pinned: boolean): Promise<void>;
}
