import type { ProjectWarning } from "./types.ts";

/** How the room sees files; whoever calls hands it in. Paths are absolute. */
export interface FileAccess {
  /** The file's bytes as UTF-8 text; undefined where there is no such file. Other failures are thrown. */
  readonly readFile: (path: string) => Promise<string | undefined>;
  /** Whether it is a file, a folder, or nothing. */
  readonly kindOf: (path: string) => Promise<"file" | "folder" | undefined>;
  /** The text of stdin, for `-f -`. */
  readonly readStdin?: () => Promise<string>;
  /** Gets what `oci://…` or the URL of a Git repository stands for; the path of its Compose file on this machine. */
  readonly fetchRemote?: (url: string) => Promise<string>;
  /** The user's home, for `~`. */
  readonly home?: string;
}

export interface LoadOptions {
  /** `-f`: relative to `cwd`, `-` is stdin. Empty or absent: COMPOSE_FILE, then what is found upward from `cwd`. */
  readonly files?: readonly string[];
  /** The folder that the command was called in, absolute. */
  readonly cwd: string;
  /** `--project-directory` */
  readonly projectDirectory?: string;
  /** `-p` */
  readonly projectName?: string;
  /** `--profile`; empty or absent: COMPOSE_PROFILES. `*` is all of them. */
  readonly profiles?: readonly string[];
  /** `--env-file`; absent: COMPOSE_ENV_FILES, then `.env` in the project's folder. */
  readonly envFiles?: readonly string[];
  /** The caller's environment, which wins over `.env` files. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly access: FileAccess;
  /** Services named on the command line: their profiles count as active for them. */
  readonly services?: readonly string[];
  /** Told of each warning as it is found: an error may come after it. They are in the project too. */
  readonly onWarning?: (warning: ProjectWarning) => void;
  /** Default true, each: `--no-interpolate`, `--no-normalize`, `--no-path-resolution`, `--no-consistency`, `--no-env-resolution`. */
  readonly interpolate?: boolean;
  readonly normalize?: boolean;
  readonly resolvePaths?: boolean;
  readonly checkConsistency?: boolean;
  readonly resolveEnvironment?: boolean;
}
