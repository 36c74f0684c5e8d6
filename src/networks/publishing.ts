import { foreseeAddress } from "./add-endpoint.ts";
import { forwardPorts, holdPort, releasePort, type HeldPort } from "./forward-ports.ts";
import { bridgeOptions } from "./make-network.ts";
import type { EndpointRow, MemberRow, NetworkRow, NetworkRows } from "./network-rows.ts";
import { end, forgetWords, livingPid } from "./processes.ts";
import type { Place } from "./programs.ts";
import { publishingEndpoint } from "./settle.ts";
import { foreignPorts, takePorts } from "./take-ports.ts";
import type { PortWish, PublishedPort } from "./types.ts";

export interface Publishing {
  /** Takes a container's ports, where its network `publishing` is the one that they lead to. Held until they are released. */
  take(ports: readonly PortWish[], publishing: NetworkRow, ipv4: string | undefined): Promise<readonly HeldPort[]>;
  /** Starts the process that forwards what no rule does, and writes it down. */
  forward(container: string, held: readonly HeldPort[], target: EndpointRow | undefined): Promise<void>;
  /** Ends that process. */
  stop(member: MemberRow): Promise<void>;
  /** Containers whose process was killed. */
  findSilent(): readonly MemberRow[];
  /** Starts it again. Fails with what the system says where another program has a port by now. */
  revive(member: MemberRow): Promise<void>;
}

/** Published ports of the containers of a store. All but `findSilent` only under the lock. */
export function openPublishing(options: {
  readonly rows: NetworkRows;
  readonly isRoot: boolean;
  /** This machine itself. */
  readonly here: Place;
  readonly currentPlace: () => Place;
  readonly mark: string;
  readonly folder: string;
}): Publishing {
  const { rows, isRoot, here, currentPlace, mark, folder } = options;
  const logOf = (container: string) => ({ folder, name: `ports-${container.slice(0, 12)}` });
  /** For root, rules lead IPv4 to the container; what comes by IPv6 may be for a container that has none, or come from `::1`. */
  const needsForwarder = ({ hostIp }: PublishedPort): boolean => !isRoot || hostIp.includes(":");

  const publishing: Publishing = {
    async take(ports, network, ipv4) {
      if (ports.length === 0) return [];
      return await takePorts(ports, {
        taken: [...rows.members().flatMap((member) => member.ports), ...(isRoot ? await foreignPorts(here, mark) : [])],
        defaultIp: network.options[bridgeOptions.hostIp] ?? "0.0.0.0",
        targetIp: foreseeAddress(rows, network, ipv4),
      });
    },
    async forward(container, held, target) {
      const forwarded = held.filter(({ port }) => needsForwarder(port));
      if (forwarded.length === 0 || target === undefined) return;
      rows.setForwarder(container, await forwardPorts(currentPlace(), forwarded, target, logOf(container)));
    },
    async stop({ container, forwarder }) {
      await end(forwarder);
      forgetWords(logOf(container));
    },
    findSilent: () => rows.members().filter(({ forwarder }) => forwarder !== undefined && livingPid(forwarder) === undefined),
    async revive({ container, ports }) {
      const mine = rows.endpoints().filter((endpoint) => endpoint.container === container);
      const held: HeldPort[] = [];
      try {
        for (const port of ports.filter(needsForwarder)) held.push(await holdPort(port));
        await publishing.forward(container, held, publishingEndpoint(mine, rows.networks()));
      } finally {
        await Promise.all(held.map(releasePort));
      }
    },
  };
  return publishing;
}
