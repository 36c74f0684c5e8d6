import { networksOf, type Container } from "../../containers/index.ts";
import { formatAge, formatDuration } from "../format/durations.ts";
import { formatGoTime } from "../format/go-time.ts";
import { formatSize } from "../format/sizes.ts";
import { shortId, truncate } from "../format/table.ts";
import { portsText } from "./ports-text.ts";

/** A line of `docker ps`; the names of the fields are those of Docker's templates. */
export interface ContainerListRow {
  readonly Command: string;
  readonly CreatedAt: string;
  readonly ID: string;
  readonly Image: string;
  readonly Labels: string;
  readonly LocalVolumes: string;
  readonly Mounts: string;
  readonly Names: string;
  readonly Networks: string;
  readonly Platform: { readonly architecture: string; readonly os: string };
  readonly Ports: string;
  readonly RunningFor: string;
  readonly Size: string;
  readonly State: string;
  readonly Status: string;
}

export const containerHeadings = {
  Command: "COMMAND",
  CreatedAt: "CREATED AT",
  ID: "CONTAINER ID",
  Image: "IMAGE",
  Labels: "LABELS",
  LocalVolumes: "LOCAL VOLUMES",
  Mounts: "MOUNTS",
  Names: "NAMES",
  Networks: "NETWORKS",
  Platform: "PLATFORM",
  Ports: "PORTS",
  RunningFor: "CREATED",
  Size: "SIZE",
  State: "STATE",
  Status: "STATUS",
};

export interface RowOptions {
  readonly nowMs: number;
  readonly noTrunc: boolean;
  /** Whether the image's name still stands for the image that it was made from. */
  readonly isNamed: boolean;
  readonly size?: { readonly writtenBytes: number; readonly imageBytes: number } | undefined;
}

const commandWidth = 20;
const mountWidth = 15;

export function containerRow(container: Container, { nowMs, noTrunc, isNamed, size }: RowOptions): ContainerListRow {
  const { config, mounts } = container;
  const { os, architecture } = config.platform;
  const sources = mounts
    .filter(({ type }) => type !== "tmpfs")
    .map(({ source = "" }) => (noTrunc ? source : truncate(source, mountWidth)));
  const name = isNamed ? config.image : config.imageId;
  return {
    Command: commandText(container, { noTrunc }),
    CreatedAt: formatGoTime(container.createdMs),
    ID: noTrunc ? container.id : shortId(container.id),
    Image: name.startsWith("sha256:") && !noTrunc ? shortId(name) : name,
    Labels: Object.entries(config.labels)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    LocalVolumes: String(mounts.filter(({ type }) => type === "volume").length),
    Mounts: sources.join(","),
    Names: container.name,
    Networks: networkNames(container).join(","),
    Platform: { architecture, os },
    Ports: portsText(container),
    RunningFor: formatAge(container.createdMs, nowMs),
    Size:
      size === undefined ? "0B" : `${formatSize(size.writtenBytes)} (virtual ${formatSize(size.writtenBytes + size.imageBytes)})`,
    State: container.state.status,
    Status: statusText(container, nowMs),
  };
}

/** The column COMMAND: `"sh -c 'echo hi; …"`, what runs in a container, as one string that is cut unless `noTrunc` is set. */
export function commandText({ config }: Container, { noTrunc }: { readonly noTrunc: boolean }): string {
  const [program = "", ...args] = [...config.entrypoint, ...config.command];
  // Docker puts quotes around an argument with a space, whatever quotes it has itself
  const text = [program, ...args.map((arg) => (arg.includes(" ") ? `'${arg}'` : arg))].join(" ");
  return JSON.stringify(noTrunc ? text : truncate(text, commandWidth));
}

/** The networks that a container is on, or will be. */
export function networkNames({ endpoints, config }: Container): readonly string[] {
  const present = Object.keys(endpoints);
  if (present.length > 0) return present;
  return networksOf(config.host);
}

/** The column STATUS: `Up 3 minutes (healthy)`, `Exited (0) 2 hours ago`. */
export function statusText({ state }: Container, nowMs: number): string {
  const since = (ms: number | undefined): string => formatDuration(Math.max(0, nowMs - (ms ?? nowMs)));
  switch (state.status) {
    case "running":
      return `Up ${since(state.startedMs)}${healthText(state.health?.status)}`;
    case "paused":
      return `Up ${since(state.startedMs)} (Paused)`;
    case "restarting":
      return `Restarting (${state.exitCode}) ${since(state.finishedMs)} ago`;
    case "removing":
      return "Removal In Progress";
    case "dead":
      return "Dead";
    case "created":
      return "Created";
    case "exited":
      return `Exited (${state.exitCode}) ${since(state.finishedMs)} ago`;
  }
}

function healthText(health: "starting" | "healthy" | "unhealthy" | undefined): string {
  if (health === undefined) return "";
  return ` (${health === "starting" ? "health: starting" : health})`;
}
