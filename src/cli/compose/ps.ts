import { labels, type Observed } from "../../compose/index.ts";
import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { commandText, statusText } from "../containers/container-row.ts";
import { portsText } from "../containers/ports-text.ts";
import { formatAge } from "../format/durations.ts";
import { formatGoTime } from "../format/go-time.ts";
import { compileListing } from "../format/listing.ts";
import { openContext } from "./open-context.ts";
import { readProjectOrName } from "./open-project.ts";

const statuses = ["paused", "restarting", "removing", "running", "dead", "created", "exited"];

export const composePs = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  flags: {
    all: { kind: "bool", short: "a", help: "Show all stopped containers (including those created by the run command)" },
    filter: { kind: "list", help: "Filter services by a property (supported filters: status)" },
    format: { kind: "string", help: "Format output using a custom template: table, json or a template" },
    "no-trunc": { kind: "bool", help: "Don't truncate output" },
    orphans: { kind: "bool", help: "Include orphaned services (not declared by project); the default, =false leaves them out" },
    quiet: { kind: "bool", short: "q", help: "Only display IDs" },
    services: { kind: "bool", help: "Display services" },
    status: { kind: "csv", help: `Filter services by status. Values: [${statuses.join(" | ")}]` },
  },
  args: { min: 0, max: Infinity },
  failureExitCode: 1,
  async run(call) {
    const { flags, args, io } = call;
    const print = compileListing<PsRow>(flags.format);
    const wanted = readStatuses(flags.filter, flags.status);
    const project = await readProjectOrName(call);
    const compose = await import("../../compose/index.ts");
    const context = await openContext(call, project);
    const known = compose.allServices(project);
    for (const name of args) if (known[name] === undefined) throw new VarveError("SERVICE_NOT_FOUND", `no such service: ${name}`);
    const showsAll = flags.all === true || wanted.length > 0;
    const found = compose
      .ofServices(await compose.observeProject(context), args, { oneOff: flags.all === true })
      .filter((candidate) => showsAll || compose.isRunning(candidate))
      .filter(({ container }) => wanted.length === 0 || wanted.includes(container.state.status))
      .filter(({ service }) => flags.orphans !== false || known[service] !== undefined);
    const only =
      flags.quiet === true
        ? found.map(({ id }) => id)
        : flags.services === true
          ? [...new Set(found.map(({ service }) => service))]
          : undefined;
    if (only !== undefined) {
      io.stdout.print(only.map((text) => `${text}\n`).join(""));
      return;
    }
    const rows = found
      .toSorted((left, right) => (left.name < right.name ? -1 : 1))
      .map((candidate) => psRow(candidate, { project: project.name, nowMs: io.now(), noTrunc: flags["no-trunc"] === true }));
    io.stdout.print(print({ rows, headings, columns, jsonOf: (row) => row }));
  },
});

function readStatuses(filters: readonly string[], given: readonly string[]): readonly string[] {
  const fromFilters = filters.map((filter) => {
    const [name, value] = filter.split("=");
    if (name !== "status" || value === undefined)
      throw new VarveError("USAGE", `unknown filter ${filter}`, { hint: "there is status=STATUS" });
    return value;
  });
  const all = [...given, ...fromFilters];
  for (const status of all)
    if (!statuses.includes(status))
      throw new VarveError("USAGE", `unknown status ${status}`, { hint: `there are ${statuses.join(", ")}` });
  return all;
}

const headings = {
  Name: "NAME",
  Image: "IMAGE",
  Command: "COMMAND",
  Service: "SERVICE",
  RunningFor: "CREATED",
  Status: "STATUS",
  Ports: "PORTS",
  ID: "CONTAINER ID",
  CreatedAt: "CREATED AT",
  State: "STATE",
  Health: "HEALTH",
  ExitCode: "EXIT CODE",
  Names: "NAMES",
  Project: "PROJECT",
  Networks: "NETWORKS",
  Mounts: "MOUNTS",
  Labels: "LABELS",
  Size: "SIZE",
};
const columns = ["Name", "Image", "Command", "Service", "RunningFor", "Status", "Ports"] as const;

/** A line of `compose ps`; the names of the fields, and their order in JSON, are Docker Compose's. */
interface PsRow {
  readonly Command: string;
  readonly CreatedAt: string;
  readonly ExitCode: number;
  readonly Health: string;
  readonly ID: string;
  readonly Image: string;
  readonly Labels: string;
  readonly LocalVolumes: string;
  readonly Mounts: string;
  readonly Name: string;
  readonly Names: string;
  readonly Networks: string;
  readonly Ports: string;
  readonly Project: string;
  readonly Publishers: readonly Publisher[];
  readonly RunningFor: string;
  readonly Service: string;
  readonly Size: string;
  readonly State: string;
  readonly Status: string;
}

interface Publisher {
  readonly URL: string;
  readonly TargetPort: number;
  readonly PublishedPort: number;
  readonly Protocol: string;
}

function psRow(
  { container, name, service, id }: Observed,
  { project, nowMs, noTrunc }: { readonly project: string; readonly nowMs: number; readonly noTrunc: boolean },
): PsRow {
  const { state, config } = container;
  const volumes = container.mounts.filter(({ type }) => type === "volume");
  return {
    Command: commandText(container, { noTrunc }),
    CreatedAt: formatGoTime(container.createdMs),
    ExitCode: state.exitCode,
    Health: state.health?.status ?? "",
    ID: noTrunc ? id : id.slice(0, 12),
    Image: config.image,
    Labels: Object.entries(config.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    LocalVolumes: String(volumes.length),
    Mounts: container.mounts.flatMap(({ type, source }) => (type === "tmpfs" || source === undefined ? [] : [source])).join(","),
    Name: name,
    Names: name,
    Networks: Object.keys(config.host.networks).join(","),
    Ports: portsText(container),
    Project: config.labels[labels.project] ?? project,
    Publishers: container.ports.map(({ hostIp, hostPort, containerPort, protocol }) => ({
      URL: hostIp,
      TargetPort: containerPort,
      PublishedPort: hostPort,
      Protocol: protocol,
    })),
    RunningFor: formatAge(container.createdMs, nowMs),
    Service: service,
    Size: "0B",
    State: state.status,
    Status: statusText(container, nowMs),
  };
}
