import { formatBuildTime } from "./build-words.ts";
import type { InspectedBuild, NamedValue } from "./inspect-build.ts";

export interface FormatInspectedOptions {
  /** Whether the reader has not named the build by its ref. */
  readonly showRef: boolean;
  readonly sources: string;
}

/** The pretty text of `varve history inspect`, in buildx's layout and words. */
export function formatInspected(build: InspectedBuild, { showRef, sources }: FormatInspectedOptions): string {
  const { Config: config, Error: error } = build;
  const parts = [
    formatRows([
      ["Name:", build.Name],
      ["Ref:", showRef ? build.Ref : ""],
      ["Context:", build.Context],
      ["Dockerfile:", build.Dockerfile],
      ["VCS Repository:", build.VCSRepository],
      ["VCS Revision:", build.VCSRevision],
      ["Target:", build.Target],
      ["Platforms:", build.Platform.join(", ")],
      ["Keep Git Dir:", build.KeepGitDir ? "true" : ""],
    ]),
    "\n",
    formatValues("NAMED CONTEXT", build.NamedContexts),
    formatRows([
      ["Started:", localTime(build.StartedAt)],
      ["Duration:", `${formatBuildTime(build.Duration / 1_000_000)}${build.Status === "running" ? " (running)" : ""}`],
      ...outcomeRows(build),
      ["Build Steps:", `${build.NumCompletedSteps}/${build.NumTotalSteps} (${cachedPercent(build)}% cached)`],
      ["Warnings:", build.NumWarnings === 0 ? "" : String(build.NumWarnings)],
      ["Image ID:", build.ImageID],
    ]),
    "\n",
    formatRows([
      ["Network:", config.Network],
      ["Extra Hosts:", config.ExtraHosts.join(", ")],
      ["Image Resolve Mode:", config.ImageResolveMode],
      ["Multi-Platform:", config.MultiPlatform ? "true" : ""],
      ["No Cache:", config.NoCache ? "true" : ""],
      ["No Cache Filter:", config.NoCacheFilter.join(", ")],
      ["Shm Size:", config.ShmSize],
      ["Resource Limits:", config.Ulimit],
      ["Cache Mount Namespace:", config.CacheMountNS],
      ["Dockerfile Check Config:", config.DockerfileCheckConfig],
      ["Source Date Epoch:", config.SourceDateEpoch],
      ["Sandbox Hostname:", config.SandboxHostname],
      ["Tags:", build.Tags.join(", ")],
      ["Outputs:", build.Outputs.join("; ")],
      ["Secrets:", build.Secrets.join(", ")],
      ["SSH Agents:", build.SSH.join(", ")],
      ["Entitlements:", build.Entitlements.join(", ")],
    ]),
    "\n",
    formatValues("BUILD ARG", build.BuildArgs),
    formatValues("LABEL", build.Labels),
    formatManifests(build),
  ];
  if (error !== undefined) {
    parts.push(sources);
    if (error.Logs.length > 0) parts.push("Logs:\n", `> => ${error.Name}:\n`, ...error.Logs.map((line) => `> ${line}\n`), "\n");
  }
  if (build.Incomplete) parts.push("The logs of this build are incomplete: they could not all be written.\n\n");
  parts.push(`Print build logs: varve history logs ${build.Ref}\n`);
  return parts.join("");
}

function outcomeRows({ Status, Error: error }: InspectedBuild): readonly (readonly [string, string])[] {
  if (Status === "canceled") return [["Status:", "Canceled"]];
  if (Status === "died") return [["Status:", "Died (its process ended before the build did)"]];
  if (error === undefined) return [];
  return [
    ["Error:", `${error.VarveCode} ${error.Message}`],
    ["Hint:", error.Hint],
  ];
}

function cachedPercent({ NumCachedSteps, NumTotalSteps }: InspectedBuild): string {
  return NumTotalSteps === 0 ? "0" : ((NumCachedSteps / NumTotalSteps) * 100).toFixed(0);
}

function formatManifests({ Manifests: manifests }: InspectedBuild): string {
  if (manifests.length === 0) return "";
  const rows = manifests.map(({ Digest, Platform }) => [Digest, Platform] as const);
  return `Manifests:\n${alignTabs([["DIGEST", "PLATFORM"], ...rows])}\n`;
}

/** Labels and values; rows without a value are left out. */
function formatRows(rows: readonly (readonly [string, string])[]): string {
  return alignTabs(rows.filter(([, value]) => value !== ""));
}

function formatValues(heading: string, values: readonly NamedValue[]): string {
  if (values.length === 0) return "";
  return `${alignTabs([[heading, "VALUE"], ...values.map(({ Name, Value }) => [Name, Value] as const)])}\n`;
}

const tabWidth = 8;

/** Two columns, the second one behind tabs, as Go's tabwriter aligns them. */
export function alignTabs(rows: readonly (readonly [string, string])[]): string {
  const widest = Math.max(0, ...rows.map(([left]) => Array.from(left).length));
  const width = Math.ceil((widest + 1) / tabWidth) * tabWidth;
  return rows
    .map(([left, right]) => `${left}${"\t".repeat(Math.ceil((width - Array.from(left).length) / tabWidth))}${right}\n`)
    .join("");
}

/** `2026-01-31 12:00:00`, in the machine's time zone. */
function localTime(text: string): string {
  const time = new Date(text);
  const two = (number: number): string => String(number).padStart(2, "0");
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":")}`;
}
