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
  /** What a source stands for now, for people: a commit, the digest of a body. */
  readonly stands?: string;
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

/** For whom a result is loaded. */
export interface LoadContext<R> {
  readonly signal: AbortSignal;
  readonly vertex: SolverVertex<R>;
  /** Called before what takes time (a download): the step is then told to have started. */
  readonly onFetch: () => void;
}

/** What a solve found out about one vertex on the way to its target: enough to store its result elsewhere. */
export interface SolvedVertex {
  readonly id: string;
  readonly name: string;
  readonly key: string;
  /** Keys of the inputs that the vertex depends on as a whole. */
  readonly wholeInputKeys: readonly string[];
  /** Keys of all inputs, in order. */
  readonly inputKeys: readonly string[];
  /** What links to the key: made of the inputs' keys alone. Absent where the key is, or where an input is volatile. */
  readonly fastKey?: string;
  /** The key means nothing outside this solve. */
  readonly volatile: boolean;
}

/** Results by key, kept between builds. Keys are opaque texts. */
export interface CacheStore<R> {
  /** The canonical key that was found earlier for a key made of the inputs' keys alone. */
  link(fastKey: string): string | undefined | Promise<string | undefined>;
  saveLink(fastKey: string, key: string, inputKeys: readonly string[]): void;
  /** Whether anything was ever stored under a key, or made from what was, also when it is no longer usable. */
  knows(key: string): boolean | Promise<boolean>;
  /** The outputs stored under a key; undefined when there are none or they are no longer usable. Fetches nothing. */
  peek(key: string): readonly (R | undefined)[] | undefined;
  /** As `peek`, but of other places too. A store that has to fetch outputs says so first. */
  load(
    key: string,
    context?: LoadContext<R>,
  ): readonly (R | undefined)[] | undefined | Promise<readonly (R | undefined)[] | undefined>;
  /**
   * Stores outputs. Where a key had outputs already (the step ran again because of `--no-cache`), all that was made from
   * those is forgotten: records and links that name the key among their inputs, and theirs in turn.
   */
  save(record: CacheRecord<R>): void;
  /**
   * As `save`, but where usable outputs stand under the key by then, these are returned and nothing is stored: another solve stored
   * them meanwhile. Else the record's own are.
   */
  keep(record: CacheRecord<R>): readonly (R | undefined)[];
}

/** What the solver found out about a vertex when it knew the vertex's key. */
export interface KeyFacts {
  readonly vertex: string;
  readonly key: string;
  /** Digest of all that the op does ({@link CacheMap.digest}). */
  readonly op: string;
  readonly stands?: string;
  /** For each input the digest of what is read of it; undefined where it counts as a whole, or was not looked at. */
  readonly contents: readonly (string | undefined)[];
  /** For each input whether it counts as a whole. */
  readonly whole: readonly boolean[];
}

/**
 * What makes the solver run a vertex: `ignored` is `--no-cache`, `forced` that an input that counts as a whole runs again,
 * `missing` that nothing usable is stored under its key.
 */
export type RunCause = "ignored" | "forced" | "missing";

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
