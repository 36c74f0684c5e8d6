/** A vertex as the solver sees it. `R` is a result: opaque, immutable, shared freely. */
export interface SolverVertex<R> {
  readonly id: string;
  readonly name: string;
  readonly inputs: readonly { readonly id: string; readonly index: number }[];
  /** Never take this vertex from the cache (`--no-cache`); what it makes is stored all the same. */
  readonly ignoreCache: boolean;
  readonly op: SolverOp<R>;
}

/** What a vertex does on this machine. Both methods really stop when the signal fires, and settle after their clean-up. */
export interface SolverOp<R> {
  /** Says what the op depends on, without running it. */
  cacheMap(signal: AbortSignal): Promise<CacheMap<R>>;
  /** Makes the outputs. Called at most once for one solve. */
  exec(inputs: readonly R[], context: ExecContext): Promise<readonly (R | undefined)[]>;
}

export interface CacheMap<R> {
  /** Digest of all that the op does, its inputs left out. */
  readonly digest: string;
  /** One for each input, in order. */
  readonly dependencies: readonly Dependency<R>[];
  /** The digest means nothing outside this solve (a local folder): only the content of what is read can be a key. */
  readonly volatile?: boolean;
}

export interface Dependency<R> {
  /** What part of the input is used; goes into the key beside the input's own. */
  readonly selector: string;
  /** Digest of what the op reads of the input. Absent where the op depends on the input as a whole (the root of a RUN). */
  readonly content?: (input: R, signal: AbortSignal) => Promise<string>;
}

export interface CacheRecord<R> {
  readonly key: string;
  /** Keys of the inputs that the step depends on as a whole. */
  readonly inputKeys: readonly string[];
  readonly outputs: readonly (R | undefined)[];
  readonly vertex: SolverVertex<R>;
}

export interface ExecContext {
  readonly signal: AbortSignal;
  readonly vertex: string;
}

/** Results by key, kept between builds. Keys are opaque texts. */
export interface CacheStore<R> {
  /** The canonical key that was found earlier for a key made of the inputs' keys alone. */
  link(fastKey: string): string | undefined;
  saveLink(fastKey: string, key: string, inputKeys: readonly string[]): void;
  /** Whether anything was ever stored under a key, also when it is no longer usable. */
  knows(key: string): boolean;
  /** The outputs stored under a key; undefined when there are none or they are no longer usable. */
  load(key: string): readonly (R | undefined)[] | undefined;
  /**
   * Stores outputs. Where a key had outputs already (the step ran again because of `--no-cache`), all that was made from
   * those is forgotten: records and links that name the key among their inputs, and theirs in turn.
   */
  save(record: CacheRecord<R>): void;
}

/** `cached` vertices were not run. `failed` carries the error's first line. Times are milliseconds since 1970. */
export type SolverEvent =
  | { readonly type: "started"; readonly vertex: string; readonly time: number }
  | { readonly type: "completed"; readonly vertex: string; readonly time: number; readonly cached: boolean }
  | {
      readonly type: "failed";
      readonly vertex: string;
      readonly time: number;
      readonly error: unknown;
      readonly canceled: boolean;
    };
