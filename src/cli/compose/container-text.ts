import type { Container } from "../../containers/index.ts";
import { formatDuration } from "../format/durations.ts";

/** `"sh -c 'echo hi; …"`: what runs in a container, quoted as a shell would need it, and cut. (docker ps) */
export function commandText({ config }: Container, { noTrunc = false } = {}): string {
  const words = [...config.entrypoint, ...config.command];
  const text = words
    .map((word) => (/[\s'"]/.test(word) || word === "" ? `'${word.replaceAll("'", String.raw`'\''`)}'` : word))
    .join(" ");
  const shown = noTrunc || text.length <= 20 ? text : `${text.slice(0, 19)}…`;
  return JSON.stringify(shown);
}

/** `Up 2 seconds (healthy)`, `Exited (137) 5 minutes ago`, `Created`. (docker ps) */
export function statusText({ state }: Container, nowMs: number): string {
  const since = (timeMs: number | undefined): string => formatDuration(Math.max(0, nowMs - (timeMs ?? nowMs)));
  switch (state.status) {
    case "running":
      return `Up ${since(state.startedMs)}${state.health === undefined ? "" : ` (${healthText(state.health.status)})`}`;
    case "paused":
      return `Up ${since(state.startedMs)} (Paused)`;
    case "restarting":
      return `Restarting (${state.exitCode}) ${since(state.finishedMs)} ago`;
    case "exited":
      return `Exited (${state.exitCode}) ${since(state.finishedMs)} ago`;
    case "removing":
      return "Removal In Progress";
    case "dead":
      return "Dead";
    case "created":
      return "Created";
  }
}

function healthText(status: string): string {
  return status === "starting" ? "health: starting" : status;
}

/** `0.0.0.0:8080->80/tcp, 9000/tcp`: published ports, and those that are only exposed. (docker ps) */
export function portsText({ ports, config, state }: Container): string {
  if (state.status !== "running" && state.status !== "paused") return "";
  const published = ports.map(
    ({ hostIp, hostPort, containerPort, protocol }) =>
      `${hostIp.includes(":") ? `[${hostIp}]` : hostIp}:${hostPort}->${containerPort}/${protocol}`,
  );
  const taken = new Set(ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`));
  return [...config.exposedPorts.filter((port) => !taken.has(port)), ...published].join(", ");
}
