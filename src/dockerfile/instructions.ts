import type { SourceRange } from "../errors/index.ts";
import type { HeredocNode } from "./syntax.ts";

/**
 * Checked instructions: every flag and argument has its place and its type, nothing is expanded yet. Texts that may
 * contain variables are kept as written (quotes and escapes included) and expanded by the frontend with `expandWord`.
 */
export type Instruction =
  | FromInstruction
  | ArgInstruction
  | RunInstruction
  | CmdInstruction
  | EntrypointInstruction
  | CopyInstruction
  | AddInstruction
  | EnvInstruction
  | LabelInstruction
  | ExposeInstruction
  | UserInstruction
  | WorkdirInstruction
  | VolumeInstruction
  | StopSignalInstruction
  | HealthcheckInstruction
  | ShellInstruction
  | OnbuildInstruction
  | MaintainerInstruction;

export interface InstructionBase {
  readonly where: SourceRange;
  /** As written. */
  readonly keyword: string;
  /** The instruction on one line, as history and progress show it. */
  readonly original: string;
  /** Comment lines directly above, without `#`. */
  readonly docComment: readonly string[];
}

export interface FromInstruction extends InstructionBase {
  readonly kind: "from";
  /** Image reference, stage name or `scratch`, unexpanded. */
  readonly base: string;
  readonly platform: string | undefined;
  /** In lower case. */
  readonly name: string | undefined;
  /** As written. */
  readonly nameAsWritten: string | undefined;
}

export interface ArgInstruction extends InstructionBase {
  readonly kind: "arg";
  readonly args: readonly { readonly name: string; readonly value: string | undefined; readonly where: SourceRange }[];
}

/** A command line: `shell` runs `text` through SHELL, exec form runs `args` as they are. */
export type CommandLine =
  | { readonly form: "exec"; readonly args: readonly string[] }
  | { readonly form: "shell"; readonly text: string };

export interface RunInstruction extends InstructionBase {
  readonly kind: "run";
  readonly command: CommandLine;
  readonly heredocs: readonly HeredocNode[];
  readonly mounts: readonly RunMount[];
  /** `default`, `none` or `host`. */
  readonly network: "default" | "none" | "host";
  readonly security: "sandbox" | "insecure";
  readonly devices: readonly { readonly name: string; readonly required: boolean; readonly where: SourceRange }[];
}

/**
 * One `--mount`, checked after expansion: mount values may contain variables, so the parser keeps the fields as written
 * and `checkMount` makes a {@link CheckedMount} of them once the frontend has expanded the values.
 */
export interface RunMount {
  readonly where: SourceRange;
  /** Fields in order, keys in lower case, values as written; a bare key (`ro`) has no value. */
  readonly fields: readonly { readonly key: string; readonly value: string | undefined }[];
}

export type CheckedMount =
  | {
      readonly type: "bind";
      readonly target: string;
      readonly source: string | undefined;
      readonly from: string | undefined;
      readonly readonly: boolean;
    }
  | {
      readonly type: "cache";
      readonly target: string;
      readonly id: string | undefined;
      readonly sharing: "shared" | "private" | "locked";
      readonly from: string | undefined;
      readonly source: string | undefined;
      readonly mode: number | undefined;
      readonly uid: number | undefined;
      readonly gid: number | undefined;
      readonly readonly: boolean;
    }
  | {
      readonly type: "tmpfs";
      readonly target: string;
      /** Bytes, 0 for no limit. */
      readonly size: number;
      readonly readonly: boolean;
    }
  | {
      readonly type: "secret";
      readonly id: string;
      readonly target: string | undefined;
      readonly env: string | undefined;
      readonly required: boolean;
      readonly mode: number | undefined;
      readonly uid: number | undefined;
      readonly gid: number | undefined;
    }
  | {
      readonly type: "ssh";
      readonly id: string | undefined;
      readonly target: string | undefined;
      readonly required: boolean;
      readonly mode: number | undefined;
      readonly uid: number | undefined;
      readonly gid: number | undefined;
    };

export interface CmdInstruction extends InstructionBase {
  readonly kind: "cmd";
  readonly command: CommandLine;
}

export interface EntrypointInstruction extends InstructionBase {
  readonly kind: "entrypoint";
  readonly command: CommandLine;
}

export interface CopyInstruction extends InstructionBase {
  readonly kind: "copy";
  /** Paths only; sources with a body are in `heredocs`. BuildKit copies the paths first. */
  readonly sources: readonly string[];
  readonly heredocs: readonly HeredocNode[];
  readonly destination: string;
  readonly from: string | undefined;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly link: boolean;
  readonly parents: boolean;
  readonly exclude: readonly string[];
}

export interface AddInstruction extends InstructionBase {
  readonly kind: "add";
  readonly sources: readonly string[];
  readonly heredocs: readonly HeredocNode[];
  readonly destination: string;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly link: boolean;
  readonly exclude: readonly string[];
  readonly checksum: string | undefined;
  readonly keepGitDir: boolean | undefined;
  readonly unpack: boolean | undefined;
}

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

export interface EnvInstruction extends InstructionBase {
  readonly kind: "env";
  readonly pairs: readonly KeyValue[];
  /** `ENV key rest of line`. */
  readonly legacy: boolean;
}

export interface LabelInstruction extends InstructionBase {
  readonly kind: "label";
  readonly pairs: readonly KeyValue[];
  readonly legacy: boolean;
}

export interface ExposeInstruction extends InstructionBase {
  readonly kind: "expose";
  /** As written, sorted by their text as BuildKit records them. */
  readonly ports: readonly string[];
}

export interface UserInstruction extends InstructionBase {
  readonly kind: "user";
  readonly user: string;
}

export interface WorkdirInstruction extends InstructionBase {
  readonly kind: "workdir";
  readonly path: string;
}

export interface VolumeInstruction extends InstructionBase {
  readonly kind: "volume";
  readonly paths: readonly string[];
}

export interface StopSignalInstruction extends InstructionBase {
  readonly kind: "stopsignal";
  readonly signal: string;
}

/** Durations in nanoseconds; undefined where not given. `test` is `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", text]`. */
export interface HealthcheckInstruction extends InstructionBase {
  readonly kind: "healthcheck";
  readonly test: readonly string[];
  readonly interval: number | undefined;
  readonly timeout: number | undefined;
  readonly startPeriod: number | undefined;
  readonly startInterval: number | undefined;
  readonly retries: number | undefined;
}

export interface ShellInstruction extends InstructionBase {
  readonly kind: "shell";
  readonly args: readonly string[];
}

export interface OnbuildInstruction extends InstructionBase {
  readonly kind: "onbuild";
  /** The trigger's text as the image config stores it, heredoc bodies included. */
  readonly trigger: string;
}

export interface MaintainerInstruction extends InstructionBase {
  readonly kind: "maintainer";
  readonly name: string;
}

/** A stage: its FROM and what follows. */
export interface Stage {
  readonly from: FromInstruction;
  readonly index: number;
  readonly instructions: readonly Instruction[];
}

/** A whole checked Dockerfile. */
export interface Dockerfile {
  readonly file: string;
  readonly source: string;
  readonly escape: "\\" | "`";
  /** The value of `# syntax=`, if given. */
  readonly syntax: string | undefined;
  /** The value of `# check=`, if given. */
  readonly check: string | undefined;
  /** ARGs before the first FROM. */
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
}
