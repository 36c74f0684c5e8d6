import type { BuildRecord } from "../../engine/index.ts";
import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { formatAge } from "../format/durations.ts";
import { formatTable } from "../format/table.ts";
import { compileTemplate } from "../format/template.ts";
import { formatBuildTime, fullRef, statusWords } from "../history/build-words.ts";
import { parseBuildFilter, repositoryOf, type BuildFilter } from "../history/filter-builds.ts";
import { formatTime } from "../progress/rawjson.ts";

const nameWidth = 36;

export const listBuilds = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    builder: { kind: "string", help: "Builder to work with (default: BUILDX_BUILDER, or with buildx the one in use)" },
    filter: {
      kind: "list",
      help: 'Show only some builds (e.g., "status=error"; keys: ref, repository, status, startedAt, completedAt, duration)',
    },
    format: { kind: "string", help: 'Format the output: "table", "json" or a template (default "table")' },
    local: { kind: "bool", help: "Show only builds of the repository that the working folder is in" },
    "no-trunc": { kind: "bool", help: "Show everything in full" },
  },
  args: { min: 0, max: 0 },
  async run({ flags, io, openStore }) {
    const nowMs = io.now();
    const filters: BuildFilter[] = flags.filter.map((text) => parseBuildFilter(text, { nowMs }));
    if (flags.local === true) filters.push(await localFilter(io.cwd));
    const format = flags.format ?? "table";
    const render = format === "table" ? undefined : compileTemplate(format.replace(/^table\s+/, ""));
    const all = await (await openStore()).history.list();
    const records = all
      .filter((record) => filters.every((matches) => matches(record)))
      .toSorted((left, right) => Number(right.status === "running") - Number(left.status === "running"));

    if (format === "json" || format === "{{json .}}") {
      for (const record of records) io.stdout.print(`${JSON.stringify(jsonRow(record))}\n`);
      return;
    }
    const isTable = format === "table" || format.startsWith("table ");
    const rows = records.map((record) => buildRow(record, { nowMs, truncate: isTable && flags["no-trunc"] !== true }));
    if (!isTable) for (const row of rows) io.stdout.print(`${render?.(row)}\n`);
    else {
      const cells = (row: BuildRow): readonly string[] =>
        render === undefined ? [row.Ref, row.Name, row.Status, row.CreatedAt, row.Duration] : render(row).split("\t");
      io.stdout.print(formatTable(cells(headings), rows.map(cells)));
    }
  },
});

/** The fields of a template are those of buildx. */
interface BuildRow {
  readonly Ref: string;
  readonly Name: string;
  readonly Status: string;
  readonly CreatedAt: string;
  readonly Duration: string;
}

const headings: BuildRow = { Ref: "BUILD ID", Name: "NAME", Status: "STATUS", CreatedAt: "CREATED AT", Duration: "DURATION" };

export function buildRow(
  { ref, name, status, createdMs, completedMs }: BuildRecord,
  { nowMs, truncate }: { readonly nowMs: number; readonly truncate: boolean },
): BuildRow {
  const duration = formatBuildTime(Math.max(0, (completedMs ?? nowMs) - createdMs));
  return {
    Ref: ref,
    Name: truncate && name.length > nameWidth ? `..${name.slice(2 - nameWidth)}` : name,
    Status: statusWords[status],
    CreatedAt: formatAge(createdMs, nowMs),
    Duration: completedMs === undefined ? `${duration}+` : duration,
  };
}

function jsonRow({ ref, name, status, createdMs, completedMs, steps }: BuildRecord): object {
  return {
    cached_steps: steps.cached,
    ...(completedMs === undefined ? {} : { completed_at: formatTime(completedMs) }),
    completed_steps: steps.completed,
    created_at: formatTime(createdMs),
    name,
    ref: fullRef(ref),
    status: statusWords[status],
    total_steps: steps.total,
  };
}

async function localFilter(cwd: string): Promise<BuildFilter> {
  const { readCheckout } = await import("../../history/index.ts");
  const source = readCheckout(cwd)?.source;
  if (source === undefined)
    throw new VarveError("USAGE", "could not get remote URL for local filter", {
      hint: "--local needs a Git repository with a remote in the working folder",
    });
  return (record) => repositoryOf(record).includes(source);
}
