import type { Container } from "../../containers/index.ts";
import { VarveError } from "../../errors/index.ts";
import { cut } from "../flags.ts";
import { networkNames } from "./container-row.ts";

/** What the `--filter` flags of `ps` say. Values of one key are alternatives (labels are not), keys are conditions. */
export interface ContainerFilters {
  readonly accepts: (container: Container) => boolean;
  /** Names of containers, and of images, that are looked up. */
  readonly before: readonly string[];
  readonly since: readonly string[];
  readonly ancestors: readonly string[];
  /** Whether it asks for states, so that those that do not run are shown, too. */
  readonly asksForState: boolean;
}

const known = [
  "ancestor",
  "before",
  "exited",
  "expose",
  "health",
  "id",
  "label",
  "name",
  "network",
  "publish",
  "since",
  "status",
  "volume",
] as const;
const statuses = ["created", "restarting", "running", "removing", "paused", "exited", "dead"];
const healths = ["starting", "healthy", "unhealthy", "none"];

/** Reads the filters of `docker ps`. Fails with FILTER_INVALID in Docker's words. */
export function readContainerFilters(texts: readonly string[]): ContainerFilters {
  const values = new Map<string, string[]>();
  for (const text of texts) {
    const [name, value] = cut(text, "=");
    const key = name.trim().toLowerCase();
    if (value === undefined) throw invalid("bad format of filter (expected name=value)");
    if (!(known as readonly string[]).includes(key)) throw invalid(`invalid filter '${key}'`);
    values.set(key, [...(values.get(key) ?? []), value.trim()]);
  }
  const of = (key: (typeof known)[number]): readonly string[] => values.get(key) ?? [];
  for (const status of of("status")) if (!statuses.includes(status)) throw invalid(`invalid filter 'status=${status}'`);
  for (const health of of("health")) if (!healths.includes(health)) throw invalid(`invalid filter 'health=${health}'`);
  const codes = of("exited").map((text) => {
    if (!/^-?\d+$/.test(text)) throw invalid(`invalid filter 'exited=${text}'`);
    return Number(text);
  });
  const ports = { publish: of("publish").map(readPorts), expose: of("expose").map(readPorts) };
  const some = (key: (typeof known)[number], test: (value: string) => boolean): boolean =>
    of(key).length === 0 || of(key).some(test);
  return {
    before: of("before"),
    since: of("since"),
    ancestors: of("ancestor"),
    asksForState: of("status").length > 0 || codes.length > 0,
    accepts: (container) => {
      const { id, name, state, config, mounts } = container;
      return (
        some("id", (text) => id.startsWith(text)) &&
        some("name", (text) => matchesName(text, name)) &&
        of("label").every((text) => hasLabel(config.labels, text)) &&
        some("status", (status) => state.status === status) &&
        some("health", (health) => (state.health?.status ?? "none") === health) &&
        (codes.length === 0 || (state.status === "exited" && codes.includes(state.exitCode))) &&
        some("volume", (text) => mounts.some(({ source, target }) => source === text || target === text)) &&
        some(
          "network",
          (text) =>
            networkNames(container).includes(text) ||
            Object.values(container.endpoints).some(({ networkId }) => networkId === text),
        ) &&
        (ports.publish.length === 0 ||
          ports.publish.some((fits) => container.ports.some(({ containerPort, protocol }) => fits(containerPort, protocol)))) &&
        (ports.expose.length === 0 ||
          ports.expose.some((fits) =>
            config.exposedPorts.some((port) => fits(Number(port.split("/")[0]), port.split("/")[1] ?? "tcp")),
          ))
      );
    },
  };
}

/** A regular expression that fits anywhere, with or without the slash of Docker's names. */
function matchesName(text: string, name: string): boolean {
  try {
    const expression = new RegExp(text);
    return expression.test(name) || expression.test(`/${name}`);
  } catch (cause) {
    throw new VarveError("FILTER_INVALID", `invalid filter 'name=${text}'`, { cause });
  }
}

function hasLabel(labels: Readonly<Record<string, string>>, text: string): boolean {
  const [key, value] = cut(text, "=");
  return Object.hasOwn(labels, key) && (value === undefined || labels[key] === value);
}

/** `80`, `80/udp`, `8000-8080/tcp`. */
function readPorts(text: string): (port: number, protocol: string) => boolean {
  const match = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(text);
  if (match === null) throw invalid(`invalid filter: invalid port: ${text}`);
  const [, from = "", to = from, wanted = "tcp"] = match;
  return (port, protocol) => port >= Number(from) && port <= Number(to) && protocol === wanted;
}

function invalid(message: string): VarveError {
  return new VarveError("FILTER_INVALID", message, { hint: `known: ${known.join(", ")}` });
}
