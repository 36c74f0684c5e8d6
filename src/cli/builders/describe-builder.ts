import type { BuilderInfo, GcRule, NodeInfo } from "../../engine/index.ts";
import { formatGoTime } from "../format/go-time.ts";
import { formatBinarySize } from "../format/sizes.ts";
import { nodePlatforms } from "./platforms.ts";

/** `buildx inspect` of a builder, in buildx's layout. */
export function describeBuilder(
  builder: BuilderInfo,
  { version, gcRules }: { readonly version: string; readonly gcRules: readonly (readonly GcRule[])[] },
): string {
  const head = alignRows([
    ["Name:", builder.name],
    ["Driver:", builder.driver],
    ["Last Activity:", builder.lastActivityMs === undefined ? "" : formatGoTime(builder.lastActivityMs)],
  ]);
  return `${head}\nNodes:\n${builder.nodes.map((node, index) => describeNode(node, version, gcRules[index] ?? [])).join("\n")}`;
}

function describeNode(node: NodeInfo, version: string, gcRules: readonly GcRule[]): string {
  const options = Object.entries(node.driverOptions).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const rows = alignRows([
    ["Name:", node.name],
    ["Endpoint:", node.endpoint],
    ["Driver Options:", options.join(" ")],
    ["Status:", node.status],
    ["BuildKit daemon flags:", node.flags.join(" ")],
    ["BuildKit version:", node.status === "running" ? version : ""],
    ["Platforms:", nodePlatforms(node).join(", ")],
  ]);
  const labels = node.status === "running" ? `Labels:\n${alignRows([[" org.varve.worker.store:", node.root]])}` : "";
  const config = node.config?.trimEnd().split("\n");
  const file = config === undefined ? "" : `File#buildkitd.toml:\n${config.map((line) => ` > ${line}\n`).join("")}`;
  return `${rows}${labels}${gcRules.map(describeRule).join("")}${file}`;
}

/** buildx writes filters as they are configured, durations as Go does. */
function describeRule({ all, filters, keepMs, reservedBytes, maxUsedBytes, minFreeBytes }: GcRule, index: number): string {
  const size = (bytes: number | undefined): string => (bytes ? formatBinarySize(bytes) : "");
  const rows = alignRows([
    [" All:", String(all)],
    [" Filters:", filters.join(" ")],
    [" Keep Duration:", keepMs === 0 ? "" : goDuration(keepMs / 1000)],
    [" Reserved Space:", size(reservedBytes)],
    [" Max Used Space:", size(maxUsedBytes)],
    [" Min Free Space:", size(minFreeBytes)],
  ]);
  return `GC Policy rule#${index}:\n${rows}`;
}

function goDuration(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  const rest = `${seconds % 60}s`;
  if (hours === 0) return minutes === 0 ? rest : `${minutes}m${rest}`;
  return `${hours}h${minutes}m${rest}`;
}

/** Labels and values one blank apart; rows without a value are left out. */
function alignRows(rows: readonly (readonly [label: string, value: string])[]): string {
  const filled = rows.filter(([, value]) => value !== "");
  const width = Math.max(0, ...filled.map(([label]) => label.length)) + 1;
  return filled.map(([label, value]) => `${label.padEnd(width)}${value}\n`).join("");
}
