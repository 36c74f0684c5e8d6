import type { Varve } from "../engine/index.ts";
import type { ComposeFlags } from "./compose/global-flags.ts";
import type { FlagTable, FlagValues } from "./flags.ts";
import type { Io } from "./io.ts";

/** One command of the command line: what it takes, and what it does. */
export interface Command<T extends FlagTable = FlagTable> {
  /** What follows the command's name in its usage line, e.g. `[OPTIONS] PATH | -`. */
  readonly usage: string;
  readonly flags: T;
  /** How many arguments that are no flags. */
  readonly args: { readonly min: number; readonly max: number };
  /** Flags end at the first argument: what follows belongs to a program that is run (`run`, `exec`). */
  readonly flagsEndAtArgument?: boolean;
  /** What it exits with where it fails, if the error's details have no `exitCode` of their own. Default: by the kind of the error. */
  readonly failureExitCode?: number;
  /** Resolves to the exit code; nothing is 0. */
  run(call: Call<T>): Promise<number | void>;
}

export interface Call<T extends FlagTable = FlagTable> {
  readonly flags: FlagValues<T>;
  readonly args: readonly string[];
  readonly io: Io;
  /** What stood between `compose` and the command; undefined for commands that are none of Compose's. */
  readonly composeFlags: ComposeFlags | undefined;
  /** `--debug` or DEBUG: say more. */
  readonly debug: boolean;
  /** The folder of Docker's config.json, undefined when there is no home. */
  readonly dockerConfigDir: string | undefined;
  /** Opens the store that flags and environment name, or that of another builder; it is closed after the command. */
  readonly openStore: (options?: { readonly builder?: string }) => Promise<Varve>;
  /** The builder that the command works in. */
  readonly builderName: () => Promise<string>;
  /** Has this done when the command has ended, however it did, before anything is printed about it. */
  readonly atEnd: (work: () => void) => void;
}

/** Keeps the types of a command's flags from its table to its `run`. */
export function defineCommand<const T extends FlagTable>(command: Command<T>): Command<T> {
  return command;
}
