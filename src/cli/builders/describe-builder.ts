import type { BuilderInfo, NodeInfo } from "../../engine/index.ts";
import { formatGoTime } from "../format/go-time.ts";
import { nodePlatforms } from "./platforms.ts";

/** `buildx inspect` of a builder, in buildx's layout. */
export function describeBuilder(builder: BuilderInfo, version: string): string {
  const head = alignRows([
    ["Name:", builder.name],
    ["Driver:", builder.driver],
    ["Last Activity:", builder.lastActivityMs === undefined ? "" : formatGoTime(builder.lastActivityMs)],
  ]);
  return `${head}\nNodes:\n${builder.nodes.map((node) => describeNode(node, version)).join("\n")}`;
}

function describeNode(node: NodeInfo, version: string): string {
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
  return `${rows}${labels}${file}`;
}

/** Labels and values one blank apart; rows without a value are left out. */
function alignRows(rows: readonly (readonly [label: string, value: string])[]): string {
  const filled = rows.filter(([, value]) => value !== "");
  const width = Math.max(0, ...filled.map(([label]) => label.length)) + 1;
  return filled.map(([label, value]) => `${label.padEnd(width)}${value}\n`).join("");
}
