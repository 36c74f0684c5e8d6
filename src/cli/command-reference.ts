import { catalogue } from "../errors/index.ts";
import { commands } from "./commands.ts";
import { exitCodeOfKind, exitCodes } from "./exit-codes.ts";
import { flagRows, globalFlags } from "./help.ts";
import type { FlagTable } from "./flags.ts";

/** The page docs/cli.md, made from the tables that the command line itself works by. */
export async function commandReference(): Promise<string> {
  const parts = [
    "# Command line",
    "",
    "<!-- Written by scripts/write-docs.ts from the tables in src/cli; do not edit. -->",
    "",
    "Results go to stdout, progress and errors to stderr. Relative paths start from the working folder.",
    "",
    "## Exit codes",
    "",
    ...markdownTable(["Code", "Meaning"], Object.entries(exitCodes)),
    "",
    "Each kind of error has its code; errors of registries (`REGISTRY_…`, `CREDENTIALS_…`) are 5 whatever their kind.",
    "",
    ...markdownTable(["Kind", "Code", "Error codes"], kindRows()),
    "",
    "## Global options",
    "",
    "They stand before the command.",
    "",
    ...flagTable(globalFlags),
    "",
    "## Environment",
    "",
    ...markdownTable(["Variable", "Effect"], environment),
    "",
  ];
  for (const entry of commands) {
    const command = await entry.load();
    parts.push(
      `## varve ${entry.names[0]}`,
      "",
      `${entry.summary}.`,
      "",
      "```",
      `varve ${entry.names[0]} ${command.usage}`,
      "```",
      "",
    );
    if (entry.names.length > 1)
      parts.push(
        `Also: ${entry.names
          .slice(1)
          .map((name) => `\`varve ${name}\``)
          .join(", ")}.`,
        "",
      );
    const rows = flagTable(command.flags);
    if (rows.length > 0) parts.push(...rows, "");
    parts.push(...laterFlags(command.flags));
  }
  return `${parts.join("\n").trimEnd()}\n`;
}

const environment: readonly (readonly [string, string])[] = [
  ["VARVE_ROOT", "Folder of the store"],
  ["VARVE_CONFIG", "Path of varve.toml"],
  ["VARVE_RUNTIME", "OCI runtime, by name or path"],
  ["PATH", "Where the runtime and other programs are looked for"],
  ["XDG_DATA_HOME, XDG_CONFIG_HOME", "Where an ordinary user's store and varve.toml are by default"],
  ["XDG_CACHE_HOME", "Where an ordinary user's compiled code of Varve is kept; for root it is in `/var/cache/varve`"],
  ["DOCKER_CONFIG", "Folder of Docker's config.json"],
  ["DOCKER_DEFAULT_PLATFORM", "Platform when `--platform` is not given"],
  ["SOURCE_DATE_EPOCH", "Build argument of this name when it is not given"],
  [
    "BUILDX_GIT_LABELS, BUILDX_GIT_CHECK_DIRTY",
    "`1`: labels with commit, remote and Dockerfile of the context's Git checkout; `-dirty` after the commit where files were changed",
  ],
  ["BUILDKIT_PROGRESS", "Kind of progress when `--progress` is not given"],
  ["PROGRESS_NO_TRUNC", "`0` cuts the names of steps to 72 characters"],
  ["NO_COLOR, FORCE_COLOR", "No colours, or colours also where stderr is no terminal"],
  ["DEBUG", "As `--debug`"],
];

function kindRows(): readonly (readonly string[])[] {
  return Object.entries(exitCodeOfKind).map(([kind, code]) => {
    const codes = Object.entries(catalogue).filter(([, entry]) => entry.kind === kind);
    return [
      kind,
      String(code),
      codes
        .map(([name]) => `\`${name}\``)
        .toSorted()
        .join(" "),
    ];
  });
}

function flagTable(flags: FlagTable): readonly string[] {
  const rows = flagRows(flags).map(([flag, help]) => [`\`${flag.trim()}\``, help]);
  return rows.length === 0 ? [] : markdownTable(["Flag", "Meaning"], rows);
}

function laterFlags(flags: FlagTable): readonly string[] {
  const names = Object.entries(flags).filter(([, { only }]) => only !== undefined);
  if (names.length === 0) return [];
  const shown = names
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, { only = [] }]) => {
      const values = only
        .filter((value) => value !== "")
        .map((value) => `\`=${value}\``)
        .join(" or ");
      return `\`--${name}\`${values === "" ? "" : ` (but ${values} is taken)`}`;
    });
  return [`Not supported yet: ${shown.join(", ")}.`, ""];
}

function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(headings), line(headings.map(() => "---")), ...rows.map(line)];
}
