import { foreseeAddress } from "./add-endpoint.ts";
import { forwardPorts, holdPort, releasePort, type HeldPort } from "./forward-ports.ts";
import { bridgeOptions } from "./make-network.ts";
import type { EndpointRow, MemberRow, NetworkRow, NetworkRows } from "./network-rows.ts";
import { end, forgetWords, livingPid } from "./processes.ts";
import type { Place } from "./programs.ts";
import { publishingEndpoint } from "./settle.ts";
import { takePorts } from "./take-ports.ts";
import type { PortWish } from "./types.ts";

export interface Publishing {
  /** Takes a container's ports, where its network `publishing` is the one that they lead to. Held until they are released. */
  take(ports: readonly PortWish[], publishing: NetworkRow, ipv4: string | undefined): Promise<readonly HeldPort[]>;
  /**
   * Starts the process that holds the ports and forwards them, and writes it down. For root, rules lead IPv4 to the container before
   * it comes to this process; IPv6 may be for a container that has none, or come from `::1`, which no rule can lead away. The sockets
   * are what other programs, and other stores, find taken.
   */
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
  readonly currentPlace: () => Place;
  readonly folder: string;
}): Publishing {
  const { rows, currentPlace, folder } = options;
  const logOf = (container: string) => ({ folder, name: `ports-${container.slice(0, 12)}` });
  const publishing: Publishing = {
    async take(ports, network, ipv4) {
      if (ports.length === 0) return [];
      return await takePorts(ports, {
        taken: rows.members().flatMap((member) => member.ports),
        defaultIp: network.options[bridgeOptions.hostIp] ?? "0.0.0.0",
        targetIp: foreseeAddress(rows, network, ipv4),
      });
    },
    async forward(container, held, target) {
      if (held.length === 0 || target === undefined) return;
      rows.setForwarder(container, await forwardPorts(currentPlace(), held, target, logOf(container)));
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
        for (const port of ports) held.push(await holdPort(port));
        await publishing.forward(container, held, publishingEndpoint(mine, rows.networks()));
      } finally {
        await Promise.all(held.map(releasePort));
      }
    },
  };
  return publishing;
}
