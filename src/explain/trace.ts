/**
 * What is remembered of a build to explain the next one: its steps in the order of the graph, inputs before users. Plain data,
 * stored as JSON. Holds no values of secrets: the graph has only their ids.
 */
export interface Trace {
  readonly steps: readonly StepTrace[];
  /** The labels of all stages of the Dockerfile, those that the target does not need too. */
  readonly stages: readonly string[];
  /** Build arguments by name, with their values or defaults: `ARG`s of the Dockerfile and those that the build was given. */
  readonly args: Readonly<Record<string, string>>;
  /** Names that an ENV of the Dockerfile sets. */
  readonly env: readonly string[];
}

/** One vertex: what the graph says of it, and what the solver found out. */
export interface StepTrace {
  readonly vertex: string;
  readonly name: string;
  readonly kind: "exec" | "file" | "source" | "merge" | "diff";
  /** The stage's label and the step's number in it; absent for what is no instruction (a context, a heredoc's file). */
  readonly place?: { readonly stage: string; readonly step: number };
  /** The instruction with its arguments filled in where BuildKit does that; of a FROM without a digest. */
  readonly text: string;
  /** The lines of the Dockerfile. */
  readonly source: string;
  /** What runs: the arguments of a command, or the text of a heredoc's file. */
  readonly command?: readonly string[];
  /** Everything else that the op's digest counts, as `[setting, name, value]`. */
  readonly settings: readonly (readonly [setting: string, name: string, value: string])[];
  /** Of a base image or a remote source: what it is called, and what that stands for. */
  readonly origin?: {
    readonly kind: "image" | "local" | "remote";
    readonly name: string;
    readonly stands?: string;
  };
  readonly inputs: readonly InputTrace[];
  /** The solver's digest of all that the op does, and its key; absent where the build did not get that far. */
  readonly op?: string;
  readonly key?: string;
  /** `failed`: it was run and did not succeed. Absent: it was neither run nor taken from the cache. */
  readonly outcome?: "done" | "failed";
}

/** One input of a step. */
export interface InputTrace {
  /** Index of the step among the trace's. */
  readonly step: number;
  /** Counts as a whole: the step is another one whenever the input is. */
  readonly whole: boolean;
  /** Digests of the parts that are read of it. Each may have a list of files. */
  readonly contents?: readonly string[];
}
