import type { FlagTable, FlagValues } from "../flags.ts";

/** Flags that stand between `compose` and the name of its command. (docker docs, "docker compose") */
export const composeFlags = {
  "all-resources": { kind: "bool", help: "Make also the networks and volumes that no service uses" },
  ansi: { kind: "string", help: "When to use colours and to draw on the terminal: never, always or auto" },
  compatibility: { kind: "bool", help: "Join the parts of names by underscores, as Compose V1 did" },
  "dry-run": { kind: "bool", help: "Print what would be done, and do nothing; may stand after the command, too" },
  "env-file": { kind: "list", help: "Read variables from a file instead of .env" },
  file: { kind: "list", short: "f", help: "A Compose file; later ones are merged over earlier ones, - is stdin" },
  parallel: { kind: "string", help: "How much may be done at once; -1 is no limit" },
  profile: { kind: "list", help: "Switch a profile on; * is all" },
  progress: { kind: "string", help: "Kind of progress: auto, tty, plain, json or quiet" },
  "project-directory": { kind: "string", help: "Folder that relative paths start from. Default: that of the first Compose file" },
  "project-name": { kind: "string", short: "p", help: "Name of the project" },
  verbose: { kind: "bool", help: "Say more", hidden: true },
  version: { kind: "bool", short: "v", help: "Show the version and end" },
  workdir: { kind: "string", help: "Old name of --project-directory", hidden: true },
} as const satisfies FlagTable;

export type ComposeFlags = FlagValues<typeof composeFlags>;
