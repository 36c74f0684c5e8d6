import { labels } from "../../compose/index.ts";
import type { Container } from "../../containers/index.ts";
import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { composeTable } from "./compose-table.ts";

export const composeLs = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    all: { kind: "bool", short: "a", help: "Show all stopped Compose projects" },
    filter: { kind: "list", help: "Filter output based on conditions provided: name" },
    format: { kind: "string", help: "Format the output. Values: [table | json]" },
    quiet: { kind: "bool", short: "q", help: "Only display project names" },
  },
  args: { min: 0, max: 0 },
  failureExitCode: 1,
  async run({ flags, io, openStore }) {
    const format = flags.format ?? "table";
    if (format !== "table" && format !== "json") throw new VarveError("USAGE", `format value "${format}" could not be parsed`);
    const names = flags.filter.map((filter) => {
      if (!filter.startsWith("name="))
        throw new VarveError("USAGE", `invalid filter "${filter}"`, { hint: "there is name=NAME" });
      return filter.slice("name=".length);
    });
    const { containers } = await openStore();
    const projects = listProjects(await containers.list(), { all: flags.all === true }).filter(
      ({ Name }) => names.length === 0 || names.some((name) => Name.includes(name)),
    );
    if (flags.quiet === true) io.stdout.print(projects.map(({ Name }) => `${Name}\n`).join(""));
    else if (format === "json") io.stdout.print(`${JSON.stringify(projects)}\n`);
    else
      io.stdout.print(
        composeTable(
          ["NAME", "STATUS", "CONFIG FILES"],
          projects.map(({ Name, Status, ConfigFiles }) => [Name, Status, ConfigFiles]),
          { minWidth: 20 },
        ),
      );
  },
});

interface ProjectRow {
  readonly Name: string;
  /** `running(2)`, `exited(1), running(1)` */
  readonly Status: string;
  readonly ConfigFiles: string;
}

/** The projects that have containers; those without one that runs only with `all`. */
function listProjects(containers: readonly Container[], { all }: { readonly all: boolean }): readonly ProjectRow[] {
  const byName = new Map<string, Container[]>();
  for (const container of containers) {
    const name = container.config.labels[labels.project];
    if (name !== undefined && container.config.labels[labels.oneOff] !== "True")
      byName.set(name, [...(byName.get(name) ?? []), container]);
  }
  return [...byName]
    .filter(([, own]) => all || own.some(({ state }) => state.status === "running"))
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([Name, own]) => {
      const counts = new Map<string, number>();
      for (const { state } of own) counts.set(state.status, (counts.get(state.status) ?? 0) + 1);
      const Status = [...counts]
        .toSorted(([left], [right]) => (left < right ? -1 : 1))
        .map(([status, count]) => `${status}(${count})`)
        .join(", ");
      const files = new Set(own.flatMap(({ config }) => (config.labels[labels.configFiles] ?? "").split(",")));
      return { Name, Status, ConfigFiles: [...files].filter((file) => file !== "").join(",") || "N/A" };
    });
}
