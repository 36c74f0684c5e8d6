import type { BuilderInfo, NodeInfo } from "../../engine/index.ts";
import { toJson } from "../format/go-value.ts";
import { compileListing } from "../format/listing.ts";
import { compileTemplate } from "../format/template.ts";
import { nodePlatforms, shortPlatforms } from "./platforms.ts";

export interface ListOptions {
  readonly noTrunc: boolean;
  readonly version: string;
}

/** A line of `buildx ls`: a builder, or a node below it; the fields are those of buildx's templates. */
interface BuilderRow {
  readonly Name: string;
  readonly DriverEndpoint: string;
  readonly Status: string;
  readonly Buildkit: string;
  readonly Platforms: string;
  readonly LastActivity: string;
  readonly Error: string;
  readonly Current: boolean;
  readonly IsNode: boolean;
}

const headings = {
  Name: "NAME/NODE",
  DriverEndpoint: "DRIVER/ENDPOINT",
  Status: "STATUS",
  Buildkit: "BUILDKIT",
  Platforms: "PLATFORMS",
  LastActivity: "LAST ACTIVITY",
  Error: "ERROR",
};

/** Reads the `--format` of `buildx ls` (B42). */
export function compileBuilderList(
  format: string | undefined,
  options: ListOptions,
): (builders: readonly BuilderInfo[]) => string {
  if (format === "json") return (builders) => builders.map((builder) => `${JSON.stringify(jsonOf(builder, options))}\n`).join("");
  const isTable = format === undefined || format === "table" || format.startsWith("table ");
  if (!isTable) {
    let whole = "";
    // a row has no JSON of its own: it shows its builder's, as in buildx
    const json = (value: unknown): string =>
      typeof value === "object" && value !== null && "IsNode" in value ? whole : toJson(value);
    const render = compileTemplate(format, { json });
    return (builders) =>
      builders
        .flatMap((builder) => {
          whole = JSON.stringify(jsonOf(builder, options));
          return rowsOf(builder, options).map((row) => `${render(row)}\n`);
        })
        .join("");
  }
  const print = compileListing<BuilderRow>(format);
  return (builders) =>
    print({
      headings,
      columns: ["Name", "DriverEndpoint", "Status", "Buildkit", "Platforms"],
      rows: builders.flatMap((builder) => rowsOf(builder, options)).map(marked),
    });
}

/** In a table the nodes hang below their builder, and the one in use has a star. */
function marked(row: BuilderRow): BuilderRow {
  if (!row.IsNode) return { ...row, Name: `${row.Name}${row.Current ? "*" : ""}` };
  return { ...row, Name: ` \\_ ${row.Name}`, DriverEndpoint: ` \\_ ${row.DriverEndpoint}` };
}

function rowsOf(builder: BuilderInfo, options: ListOptions): readonly BuilderRow[] {
  const none = { Error: "", LastActivity: "", Status: "", Buildkit: "", Platforms: "" };
  const last = builder.lastActivityMs;
  return [
    {
      ...none,
      Name: builder.name,
      DriverEndpoint: builder.driver,
      LastActivity: last === undefined ? "" : goJsonTime(last),
      Current: builder.isCurrent,
      IsNode: false,
    },
    ...builder.nodes.map((node) => ({
      ...none,
      Name: node.name,
      DriverEndpoint: node.endpoint,
      Status: node.status,
      Buildkit: node.status === "running" ? options.version : "",
      Platforms: options.noTrunc ? nodePlatforms(node).join(", ") : shortPlatforms(nodePlatforms(node)),
      Current: builder.isCurrent,
      IsNode: true,
    })),
  ];
}

function jsonOf(builder: BuilderInfo, { version }: ListOptions): object {
  return {
    Current: builder.isCurrent,
    Driver: builder.driver,
    Dynamic: false,
    LastActivity: builder.lastActivityMs === undefined ? "0001-01-01T00:00:00Z" : goJsonTime(builder.lastActivityMs),
    Name: builder.name,
    Nodes: builder.nodes.map((node) => jsonNode(node, version)),
  };
}

function jsonNode({ name, endpoint, flags, driverOptions, status, ...node }: NodeInfo, version: string): object {
  const platforms = [...node.platforms, ...node.machinePlatforms.filter((platform) => !node.platforms.includes(platform))];
  return {
    ...(Object.keys(driverOptions).length === 0 ? {} : { DriverOpts: driverOptions }),
    Endpoint: endpoint,
    ...(flags.length === 0 ? {} : { Flags: flags }),
    Name: name,
    ...(platforms.length === 0 ? {} : { Platforms: platforms }),
    Status: status,
    ...(status === "running" ? { Version: version } : {}),
  };
}

function goJsonTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d+Z$/, "Z");
}
