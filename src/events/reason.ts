/**
 * Why a step ran instead of being taken from the cache, told against the last build of the same Dockerfile and context.
 * All of it is data: `reasonLine` of `src/explain` makes one line of it. Values of secrets are never part of it.
 */
export type StepReason =
  | FirstTime
  | NewInstruction
  | InstructionChanged
  | InstructionRemoved
  | InputReplaced
  | SettingsChanged
  | FilesChanged
  | BaseMoved
  | SourceMoved
  | ParentRan
  | CacheGone
  | FailedBefore
  | NoCache
  | Unexplained;

/** No earlier build of this Dockerfile and context is known that had this stage. */
export interface FirstTime {
  readonly kind: "first-time";
}

/** The earlier build had the stage, but no such instruction in this place: a line was inserted, or moved. */
export interface NewInstruction {
  readonly kind: "new-instruction";
  readonly text: string;
  /** The very same instruction stood elsewhere. */
  readonly moved?: true;
}

/** The instruction says something else. A heredoc counts with its body. */
export interface InstructionChanged {
  readonly kind: "instruction-changed";
  readonly old: string;
  readonly new: string;
}

/** The instruction before this one is gone. */
export interface InstructionRemoved {
  readonly kind: "instruction-removed";
  readonly text: string;
}

/** The step builds on, or reads from, another one than before: instructions or stages changed their places. Names of steps. */
export interface InputReplaced {
  readonly kind: "input-replaced";
  readonly old: string;
  readonly new: string;
}

/** The instruction is the same, but not what it runs with. */
export interface SettingsChanged {
  readonly kind: "settings-changed";
  /** At least one. */
  readonly changes: readonly SettingChange[];
}

/** One setting of a step. `old` is absent for one that was added, `new` for one that was removed. */
export interface SettingChange {
  readonly setting:
    | "argument"
    | "environment"
    | "platform"
    | "mount"
    | "secret"
    | "ssh"
    | "user"
    | "working directory"
    | "shell"
    | "network"
    | "security"
    | "host"
    | "ulimit"
    | "hostname"
    | "option";
  /** Of an argument, variable, mount (its target), host …; the setting's own name where it has none. */
  readonly name: string;
  readonly old?: string;
  readonly new?: string;
}

/** What a step reads has changed. */
export interface FilesChanged {
  readonly kind: "files-changed";
  /** Where the files are from: `context`, the name of a named context or stage, an image, or a heredoc. */
  readonly from: string;
  /**
   * The first ones, in order of their paths; at most ten. Empty when no earlier list of them is
   * left; a folder (with a slash at its end) where none is left of what was in it.
   */
  readonly files: readonly FileChange[];
  /** How many changed in all; absent where that is not known. */
  readonly count?: number;
  /** Nothing but permissions differs: a umask or a checkout, as a rule. */
  readonly onlyModes?: true;
  /** Where the files are made by steps of this build: why those made others. */
  readonly roots?: readonly RootCause[];
}

/** One file and how it differs. `old` and `new` say it of a mode (octal), an owner (`uid:gid`) or a type. */
export interface FileChange {
  /** Absolute in what it is read from. */
  readonly path: string;
  readonly change: "added" | "removed" | "content" | "mode" | "owner" | "type";
  readonly old?: string;
  readonly new?: string;
}

/** The name of the base image stands for another image now. */
export interface BaseMoved {
  readonly kind: "base-moved";
  /** As the Dockerfile names it, without a digest. */
  readonly image: string;
  /** Manifest digests. */
  readonly old: string;
  readonly new: string;
}

/** A Git ref has another commit, or a URL another body. */
export interface SourceMoved {
  readonly kind: "source-moved";
  /** Without credentials. */
  readonly source: string;
  readonly old: string;
  readonly new: string;
}

/** A step that this one builds on ran, or is another one than before. */
export interface ParentRan {
  readonly kind: "parent-ran";
  readonly parent: { readonly vertex: string; readonly name: string };
  /** Where it began: never of the kind `parent-ran`. */
  readonly roots: readonly RootCause[];
}

/** A step that ran, or is another one, for a reason of its own. */
export interface RootCause {
  readonly vertex: string;
  readonly name: string;
  readonly reason: Exclude<StepReason, ParentRan>;
}

/** The same step was made before, but its result is in the store no more. */
export interface CacheGone {
  readonly kind: "cache-gone";
  /** Why: `pruned`, `over the limit …`; absent when that is not known. */
  readonly why?: string;
  /** When, in milliseconds since 1970. */
  readonly time?: number;
}

/** The same step was tried in the last build and did not succeed, or was stopped. */
export interface FailedBefore {
  readonly kind: "failed-before";
}

/** `--no-cache`; with a list of stages (`--no-cache-filter`) the stage. */
export interface NoCache {
  readonly kind: "no-cache";
  readonly stage?: string;
}

/** The step's key differs in something that is not recorded. */
export interface Unexplained {
  readonly kind: "unexplained";
}
