import type { Command } from "./command.ts";
import { composeFlags } from "./compose/global-flags.ts";
import { commands, type CommandEntry } from "./commands.ts";
import type { FlagSpec, FlagTable } from "./flags.ts";

/** Flags that stand before the command's name. */
export const globalFlags = {
  config: { kind: "string", help: "Folder of Docker's config.json" },
  debug: { kind: "bool", short: "D", help: "Say more: whole warnings, and where errors come from" },
  version: { kind: "bool", short: "v", help: "Print the version and end" },
  context: { kind: "string", short: "c", help: "Docker context", hidden: true, only: ["default"] },
  host: { kind: "list", short: "H", help: "Daemon to talk to", hidden: true, only: [] },
  "log-level": { kind: "string", short: "l", help: "Logging level", hidden: true, only: ["info"] },
} as const satisfies FlagTable;

/** `varve --help`, in Docker's layout. */
export function rootHelp(): string {
  return [
    "Usage:  varve [OPTIONS] COMMAND",
    "",
    "Builds container images from Dockerfiles: no daemon, no root, no Docker",
    "",
    "Commands:",
    ...columns(commands.map(({ names, summary }) => [names[0], summary])),
    "",
    "Global Options:",
    ...flagLines(globalFlags),
    "",
    "Run 'varve COMMAND --help' for more information on a command.",
    "",
  ].join("\n");
}

/** `varve image`: the commands of a group. */
export function groupHelp(group: string): string {
  return [
    `Usage:  varve ${group} COMMAND`,
    "",
    ...(group === "compose" ? ["Options:", ...flagLines(composeFlags), ""] : []),
    "Commands:",
    ...columns(commandsOf(group)),
    "",
    `Run 'varve ${group} COMMAND --help' for more information on a command.`,
    "",
  ].join("\n");
}

function commandsOf(group: string): readonly (readonly [name: string, summary: string])[] {
  return commands.flatMap(({ names, summary }) => {
    const name = names.find((candidate) => candidate.startsWith(`${group} `));
    return name === undefined ? [] : [[name.slice(group.length + 1), summary] as const];
  });
}

/** `varve COMMAND --help`, in Docker's layout. */
export function commandHelp(entry: CommandEntry, name: string, command: Command): string {
  const lines = [usageLine(name, command), "", entry.summary, ""];
  if (entry.names.length > 1) lines.push("Aliases:", `  ${entry.names.map((alias) => `varve ${alias}`).join(", ")}`, "");
  const flags = flagLines(command.flags);
  if (flags.length > 0) lines.push("Options:", ...flags, "");
  if (commands.some(({ names }) => names.some((other) => other.startsWith(`${name} `))))
    lines.push("Commands:", ...columns(commandsOf(name)), "");
  return lines.join("\n");
}

export function usageLine(name: string, command: Command): string {
  return `Usage:  varve ${name} ${command.usage}`;
}

/** The shown flags, sorted by name: short form, long form, the kind of value, and the help. */
export function flagRows(table: FlagTable): readonly (readonly [flag: string, help: string])[] {
  return Object.entries(table)
    .filter(([, spec]) => spec.hidden !== true && spec.only?.length !== 0)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, spec]) => [`${spec.short === undefined ? "    " : `-${spec.short}, `}--${name}${valueWord(spec)}`, spec.help]);
}

function flagLines(table: FlagTable): readonly string[] {
  return columns(flagRows(table));
}

/** The names that pflag gives to the kinds. */
function valueWord({ kind }: FlagSpec): string {
  if (kind === "bool") return "";
  return { string: " string", list: " stringArray", csv: " strings" }[kind];
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}   ${right}`.trimEnd());
}
