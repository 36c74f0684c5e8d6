import { VarveError, isVarveError } from "../errors/index.ts";
import type { Varve } from "../engine/index.ts";
import { chooseBuilder } from "./builders/choose-builder.ts";
import type { Command } from "./command.ts";
import { composeFlags } from "./compose/global-flags.ts";
import { commands, findCommand, groups, laterCommands } from "./commands.ts";
import { dockerVersionLine, isCalledDocker, translateDockerWords } from "./docker/called-as.ts";
import { exitCodeOf } from "./exit-codes.ts";
import { parseFlags, type FlagTable } from "./flags.ts";
import { commandHelp, globalFlags, groupHelp, rootHelp, usageLine } from "./help.ts";
import { BrokenPipe, type Io } from "./io.ts";
import { findDockerConfigDir, storeOptions } from "./store.ts";

/**
 * Runs one command line (without the program's name) and resolves to its exit code; see docs/cli.md for the codes. All
 * errors are printed here; it never rejects. When it resolves, everything it opened is closed.
 */
export async function runCommandLine(args: readonly string[], io: Io): Promise<number> {
  const context: ErrorContext = { debug: isSet(io.env["DEBUG"]) };
  try {
    return await dispatch(args, io, context);
  } catch (error) {
    const cause = io.signal.aborted ? io.signal.reason : error;
    if (!(cause instanceof BrokenPipe) && !(error instanceof BrokenPipe)) {
      const { formatError, useColors } = await import("./print-error.ts");
      const options = { ...context, colors: useColors(io) };
      io.stderr.print(formatError(cause, options));
    }
    return ownExitCode(cause, context) ?? exitCodeOf(error instanceof BrokenPipe ? error : cause);
  }
}

/** What is known about the command by the time it fails. */
interface ErrorContext {
  debug: boolean;
  /** What was being done, e.g. `failed to build`. */
  doing?: string;
  /** Usage line and name of the command, for errors in its use. */
  usage?: string;
  command?: string;
  failureExitCode?: number | undefined;
}

/** The exit code of a command that has codes of its own for its failures, as `docker run` has. */
function ownExitCode(error: unknown, { failureExitCode }: ErrorContext): number | undefined {
  if (failureExitCode === undefined || !isVarveError(error) || error.kind === "canceled") return undefined;
  const { exitCode } = error.details;
  // 128 stands in the container's state where it could not be started for a reason of another kind.
  return typeof exitCode === "number" && exitCode !== 128 ? exitCode : failureExitCode;
}

async function dispatch(args: readonly string[], io: Io, context: ErrorContext): Promise<number> {
  const { values: global, positionals, help } = await parseFlags(args, globalFlags, { untilCommand: true });
  const words = isCalledDocker(io.env) ? translateDockerWords(positionals) : positionals;
  context.debug ||= global.debug === true;
  if (global.version === true) {
    const { packageVersion } = await import("../package/index.ts");
    io.stdout.print(isCalledDocker(io.env) ? dockerVersionLine(packageVersion()) : `varve version ${packageVersion()}\n`);
    return 0;
  }
  if (help || words.length === 0) return printHelp(rootHelp(), io);
  if (words[0] === "help") return await printCommandHelp(words.slice(1), io);

  const compose = words[0] === "compose" ? await parseFlags(words.slice(1), composeFlags, { untilCommand: true }) : undefined;
  const named =
    compose === undefined
      ? withGroupFlags(words)
      : ["compose", ...(compose.values.version === true ? ["version"] : compose.positionals)];
  if (compose?.help === true) return printHelp(groupHelp("compose"), io);
  const found = findCommand(named);
  if (found === undefined) return await groupOrUnknown(named, io);
  const command = await found.entry.load();
  context.command = found.name;
  context.usage = usageLine(found.name, command);
  context.failureExitCode = command.failureExitCode;
  if (found.entry.names[0] === "build") context.doing = "failed to build";

  // Docker Compose takes it in either place.
  const dryRun = { "dry-run": composeFlags["dry-run"] };
  const table: FlagTable = compose === undefined ? command.flags : { ...dryRun, ...command.flags };
  const parsed = await parseFlags(found.rest, table, { untilCommand: command.flagsEndAtArgument === true });
  const isDryRun = compose !== undefined && (parsed.values["dry-run"] ?? compose.values["dry-run"]) === true;
  if (parsed.help) return printHelp(commandHelp(found.entry, found.name, command), io);
  checkArguments(found.name, command, parsed.positionals);

  if (isDebug(parsed.values["debug"])) context.debug = true;
  const dockerConfigDir = findDockerConfigDir(io, global.config);
  // Said at the end: what draws on the terminal meanwhile would draw over it.
  const warnings: string[] = [];
  const stores = new Map<string, Varve>();
  const endings: (() => void)[] = [];
  const openBuilder = async (builder: string): Promise<Varve> => {
    const { openVarve } = await import("../engine/index.ts");
    const options = storeOptions(io, dockerConfigDir, (message) => warnings.push(message));
    const store = stores.get(builder) ?? openVarve({ ...options, builder });
    stores.set(builder, store);
    return store;
  };
  const choice = {
    command: found.name,
    takesBuilder: Object.hasOwn(command.flags, "builder"),
    flag: parsed.values["builder"] as string | undefined,
    env: io.env,
  };
  const builderName = async (): Promise<string> => chooseBuilder(choice, await openBuilder("default"));
  const openStore = async (options: { readonly builder?: string } = {}): Promise<Varve> =>
    await openBuilder(options.builder ?? (await builderName()));
  try {
    const call = {
      flags: parsed.values,
      args: parsed.positionals,
      composeFlags: compose === undefined ? undefined : { ...compose.values, "dry-run": isDryRun },
      io,
      debug: context.debug,
      dockerConfigDir,
      openStore,
      builderName,
      atEnd: (work: () => void) => void endings.push(work),
    };
    return (await command.run(call)) ?? 0;
  } finally {
    for (const end of endings) end();
    for (const store of stores.values()) await store.close();
    for (const warning of warnings) io.stderr.print(`WARNING: ${warning}\n`);
  }
}

/** `buildx --builder NAME COMMAND …` is `buildx COMMAND --builder NAME …`. */
function withGroupFlags(words: readonly string[]): readonly string[] {
  const [group = "", flag = "", ...rest] = words;
  if ((group !== "buildx" && group !== "builder") || !/^--builder(?:=|$)/.test(flag)) return words;
  const given = flag.includes("=") ? [flag] : [flag, rest[0] ?? ""];
  const after = rest.slice(given.length - 1);
  const last = findCommand([group, ...after]);
  if (last === undefined) return words;
  return [...last.name.split(" "), ...given, ...last.rest];
}

/** Whether a command that has a `--debug` of its own got it. */
function isDebug(value: unknown): boolean {
  return value === true;
}

function printHelp(text: string, io: Io): number {
  io.stdout.print(`${text}`);
  return 0;
}

async function printCommandHelp(words: readonly string[], io: Io): Promise<number> {
  if (words.length === 0) return printHelp(rootHelp(), io);
  const found = findCommand(words);
  if (found === undefined) return await groupOrUnknown(words, io);
  return printHelp(commandHelp(found.entry, found.name, await found.entry.load()), io);
}

async function groupOrUnknown(words: readonly string[], io: Io): Promise<number> {
  const [first = ""] = words;
  const group = groups
    .filter((name) => `${words.join(" ")} `.startsWith(`${name} `))
    .reduce((longest, name) => (name.length > longest.length ? name : longest), "");
  if (group !== "") {
    const rest = words.slice(group.split(" ").length);
    const [next] = rest;
    if (next === undefined || next === "--help" || next === "-h") return printHelp(groupHelp(group), io);
    if (next === "help") return await printCommandHelp([...group.split(" "), ...rest.slice(1)], io);
    throw new VarveError("NOT_SUPPORTED_YET", `varve ${group} ${next} is not supported yet`, {
      hint: `run 'varve ${group} --help' for what is`,
    });
  }
  if (laterCommands.has(first)) {
    throw new VarveError("NOT_SUPPORTED_YET", `varve ${first} is not supported yet`, { hint: "run 'varve --help' for what is" });
  }
  const { nearest } = await import("../dockerfile/index.ts");
  const near = nearest(
    first,
    commands.map(({ names }) => names[0]),
  );
  throw new VarveError("USAGE", `unknown command: varve ${first}`, {
    hint: near === undefined ? "run 'varve --help' for the list of commands" : `did you mean varve ${near}?`,
  });
}

/** Docker's words for a wrong number of arguments. */
function checkArguments(name: string, { args: { min, max } }: Command, given: readonly string[]): void {
  if (given.length >= min && given.length <= max) return;
  const count = (number: number): string => `${number} argument${number === 1 ? "" : "s"}`;
  let wanted: string;
  if (min === max) wanted = min === 0 ? "accepts no arguments" : `requires ${count(min)}`;
  else if (given.length < min) wanted = `requires at least ${count(min)}`;
  else wanted = `requires at most ${count(max)}`;
  throw new VarveError("USAGE", `'varve ${name}' ${wanted}`);
}

function isSet(text: string | undefined): boolean {
  return text !== undefined && text !== "" && text !== "0" && text !== "false";
}
