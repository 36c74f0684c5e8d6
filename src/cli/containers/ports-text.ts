import type { Container } from "../../containers/index.ts";

interface ShownPort {
  /** "" where it is only exposed. */
  readonly hostIp: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: string;
}

/**
 * The column PORTS of a running container, as Docker has it: ports that are exposed only, and those published at their own number, with
 * neighbours as a range; then the others one by one.
 */
export function portsText({ config, ports, state }: Pick<Container, "ports"> & Shown): string {
  if (state.status !== "running" && state.status !== "paused") return "";
  const exposed = config.exposedPorts.flatMap((text) => {
    const [port = "", protocol = "tcp"] = text.split("/");
    const isPublished = ports.some((one) => one.containerPort === Number(port) && one.protocol === protocol);
    return isPublished ? [] : [{ hostIp: "", hostPort: 0, containerPort: Number(port), protocol }];
  });
  const sorted: readonly ShownPort[] = [...ports, ...exposed].toSorted(
    (a, b) =>
      a.containerPort - b.containerPort ||
      compare(a.hostIp, b.hostIp) ||
      a.hostPort - b.hostPort ||
      compare(a.protocol, b.protocol),
  );
  const isAlone = ({ hostPort, containerPort }: ShownPort): boolean => hostPort !== 0 && hostPort !== containerPort;
  const runs: { first: ShownPort; last: ShownPort }[] = [];
  for (const port of sorted.filter((one) => !isAlone(one))) {
    const run = runs.findLast(({ last }) => last.hostIp === port.hostIp && last.protocol === port.protocol);
    if (run?.last.containerPort === port.containerPort - 1) run.last = port;
    else runs.push({ first: port, last: port });
  }
  const alone = sorted.filter(isAlone).map((port) => ({ first: port, last: port }));
  return [...runs, ...alone].map(runText).join(", ");
}

interface Shown {
  readonly config: Pick<Container["config"], "exposedPorts">;
  readonly state: Pick<Container["state"], "status">;
}

function runText({ first, last }: { readonly first: ShownPort; readonly last: ShownPort }): string {
  const range = (from: number, to: number): string => (from === to ? String(from) : `${from}-${to}`);
  const inside = `${range(first.containerPort, last.containerPort)}/${first.protocol}`;
  if (first.hostPort === 0) return inside;
  return `${hostText(first.hostIp)}:${range(first.hostPort, last.hostPort)}->${inside}`;
}

/** An address as it stands before a port. */
export function hostText(ip: string): string {
  return ip.includes(":") ? `[${ip}]` : ip;
}

function compare(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}
