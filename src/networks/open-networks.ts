import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { VarveError } from "../errors/index.ts";
import { addEndpoint, checkWish, describeEndpoint } from "./add-endpoint.ts";
import { checkWords } from "./check-words.ts";
import { reachableResolver, writeFiles } from "./container-files.ts";
import { releasePort } from "./forward-ports.ts";
import { holderLog, placeOf, startHolder, startWayOut, wayOutLog, wayOutResolver } from "./holder.ts";
import { describeLinks } from "./describe-links.ts";
import { plugIn, unplug } from "./links.ts";
import { locked } from "./lock.ts";
import { isRouted, makeNetwork, makePredefined, pickSubnet, replaceIpv4, subnetsOf } from "./make-network.ts";
import { servesNames, stopNames } from "./names.ts";
import { needIpv6 } from "./ipv6-here.ts";
import { openNetworkRows, type EndpointRow, type NetworkRow } from "./network-rows.ts";
import { end, forgetWords, livingPid } from "./processes.ts";
import { needProgram, type Place } from "./programs.ts";
import { openPublishing } from "./publishing.ts";
import { publishingEndpoint, settle } from "./settle.ts";
import type { Attachment, EndpointWish, Networks, NetworksOptions, Reservation } from "./types.ts";

/** Everything that changes links and rules of this machine, of whatever store, does so under this lock. */
const machineLock = "/run/varve-networks.lock";

export function openNetworks({ state, root, path, onWarning = () => undefined }: NetworksOptions): Networks {
  const isRoot = process.getuid?.() === 0;
  const folder = join(root, "networks");
  const mark = `varve-${createHash("sha256").update(resolve(root)).digest("hex").slice(0, 12)}`;
  const rows = openNetworkRows(state);
  const here: Place = {
    path,
    enter: [],
    enterNetwork: (netnsPath) => [needProgram("nsenter", path), `--net=${netnsPath}`, "--"],
  };
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return await locked(isRoot ? machineLock : join(folder, "lock"), work);
  };

  /** Where this machine refused once, it is not asked again by this process. */
  let mayHaveWayOut = true;

  function withPredefined(): void {
    if (state.get("SELECT id FROM networks WHERE predefined = 1") !== undefined) return;
    const predefined = makePredefined(Date.now());
    state.transaction(() => predefined.forEach((network) => rows.insert(network)));
  }
  const find = (name: string): NetworkRow => {
    withPredefined();
    return rows.find(name === "default" ? "bridge" : name);
  };

  /** Where links are made; starts the holder of an ordinary user's namespaces. Under the lock. */
  async function enterPlace(): Promise<{ readonly place: Place; readonly holder: number | undefined }> {
    if (isRoot) return { place: here, holder: undefined };
    let holder = livingPid(rows.note("holder"));
    if (holder === undefined) {
      await end(rows.note("way-out"));
      const { owner } = await startHolder(path, folder);
      rows.setNote("holder", owner);
      rows.setNote("way-out", undefined);
      holder = livingPid(owner);
      if (holder === undefined) throw new VarveError("NETWORK_FAILED", "the process that holds the store's namespaces has died");
    }
    return { place: placeOf(path, holder), holder };
  }
  function currentPlace(): Place {
    if (isRoot) return here;
    const holder = livingPid(rows.note("holder"));
    if (holder === undefined) throw new VarveError("NETWORK_FAILED", "the process that held the store's namespaces has died");
    return placeOf(path, holder);
  }

  const publishing = openPublishing({ rows, currentPlace, folder });

  /** Makes the kernel follow the rows, and ends what nobody needs. Under the lock. */
  async function follow(): Promise<void> {
    rows.setNote("dirty", "1");
    const needsPlace = isRoot || rows.members().length > 0;
    if (needsPlace) {
      const { place, holder } = await enterPlace();
      const resolver = reachableResolver();
      const servers = isRoot || resolver.servers.length > 0 ? [] : [wayOutResolver];
      await settle({ rows, place, mark, folder, isRoot, servers, onWarning });
      if (holder !== undefined && hasWayOut() && mayHaveWayOut && livingPid(rows.note("way-out")) === undefined) {
        const wayOut = await startWayOut(path, holder, folder, onWarning);
        mayHaveWayOut = wayOut !== undefined;
        rows.setNote("way-out", wayOut);
      }
    } else {
      await stopNames(folder);
      await end(rows.note("way-out"));
      await end(rows.note("holder"));
      for (const name of [holderLog, wayOutLog]) forgetWords({ folder, name });
      rows.setNote("way-out", undefined);
      rows.setNote("holder", undefined);
    }
    rows.setNote("dirty", undefined);
  }
  const hasWayOut = (): boolean => {
    const open = new Set(rows.networks().flatMap(({ id, internal }) => (internal ? [] : [id])));
    return rows.endpoints().some(({ network }) => open.has(network));
  };

  async function forget(containers: readonly string[]): Promise<void> {
    const gone = rows.members().filter(({ container }) => containers.includes(container));
    for (const member of gone) await publishing.stop(member);
    state.transaction(() => {
      const plugged = new Set(rows.endpoints().map(({ container }) => container));
      for (const { container } of gone) {
        rows.removeMember(container);
        // without root the last container takes the holder with it, whatever its networks were
        if (!isRoot || plugged.has(container)) rows.setNote("dirty", "1");
      }
    });
    if (rows.note("dirty") !== undefined) await follow();
  }

  /** A subnet that nobody asked for makes way where this machine has come to use it for something else. */
  function freshen(networks: readonly NetworkRow[]): readonly NetworkRow[] {
    const used = new Set(rows.endpoints().map(({ network }) => network));
    for (const network of networks) {
      if (!network.chosen || used.has(network.id) || !isRouted(network)) continue;
      const others = rows.networks().filter(({ id }) => id !== network.id);
      rows.setSubnets(network.id, replaceIpv4(network, pickSubnet(subnetsOf(others))));
    }
    return networks.map(({ id }) => rows.find(id));
  }

  async function plug(
    containerId: string,
    netnsPath: string,
    endpoints: readonly EndpointRow[],
    signal?: AbortSignal,
  ): Promise<void> {
    if (endpoints.length > 0) await plugIn(currentPlace(), netnsPath, describeLinks(rows, containerId, endpoints), signal);
  }

  async function reserve(attachment: Attachment): Promise<Reservation> {
    const { containerId, networks: wishes } = attachment;
    checkWords(attachment);
    const named = wishes.map(({ network }) => find(network));
    const isHost = named.some(({ driver }) => driver === "host");
    const bridged = named.filter(({ driver }) => driver === "bridge");
    if (bridged.length > 0 && bridged.length < named.length)
      throw new VarveError("NETWORK_INVALID", "conflicting options: the networks host and none go with no other");
    if (new Set(bridged.map(({ id }) => id)).size < bridged.length)
      throw new VarveError("NETWORK_INVALID", "a network is named twice");
    await forget([containerId]);
    const networks = freshen(bridged);
    const wishOf = ({ id, name }: NetworkRow): EndpointWish =>
      wishes.find(({ network }) => find(network).id === id) ?? { network: name, aliases: [] };
    for (const { name, ipv6 } of networks) if (ipv6) needIpv6(`network ${name} has IPv6`);
    const leading = networks.find(({ internal }) => !internal);
    const held = leading === undefined ? [] : await publishing.take(attachment.ports, leading, wishOf(leading).ipv4);
    try {
      const endpoints = state.transaction(() => {
        rows.addMember({
          container: containerId,
          name: attachment.containerName,
          hostname: attachment.hostname,
          ports: held.map(({ port }) => port),
          dns: attachment.dns ?? [],
          forwarder: undefined,
        });
        if (networks.length > 0) rows.setNote("dirty", "1");
        return networks.map((network, position) => addEndpoint(rows, containerId, position, network, wishOf(network)));
      });
      if (rows.note("dirty") !== undefined) await follow();
      else await enterPlace();
      await publishing.forward(containerId, held, publishingEndpoint(endpoints, networks));
      const described = networks.flatMap((network, index) => {
        const row = endpoints[index];
        return row === undefined ? [] : [describeEndpoint(row, network)];
      });
      const holder = isRoot ? undefined : livingPid(rows.note("holder"));
      return {
        endpoints: described,
        ports: held.map(({ port }) => port),
        ...writeFiles(attachment, {
          kind: isHost ? "host" : bridged.length === 0 ? "none" : "bridge",
          networks,
          endpoints: described,
          isRoot,
        }),
        ...(holder === undefined ? {} : { userNamespacePid: holder }),
      };
    } catch (error) {
      // what is left undone then, the next change does: the rows are gone
      await forget([containerId]).catch(() => undefined);
      throw error;
    } finally {
      await Promise.all(held.map(releasePort));
    }
  }

  const isKilled = (owner: string | undefined): boolean => owner !== undefined && livingPid(owner) === undefined;
  function lacksHelper(): boolean {
    const named = new Set(rows.networks().flatMap(({ id, predefined }) => (predefined ? [] : [id])));
    const lacksNames = rows.endpoints().some(({ network }) => named.has(network)) && !servesNames(folder);
    return lacksNames || isKilled(rows.note("way-out")) || isKilled(rows.note("holder")) || publishing.findSilent().length > 0;
  }

  /** Starts again what was killed of the processes that serve running containers. Under the lock. */
  async function heal(): Promise<void> {
    if (!lacksHelper()) return;
    if (isKilled(rows.note("holder"))) {
      onWarning("the process that held the networks of this store's containers was killed; restart the containers that run");
      return;
    }
    await follow();
    for (const member of publishing.findSilent()) {
      await publishing.revive(member).catch(({ message }: Error) => {
        const container = member.container.slice(0, 12);
        onWarning(`ports of ${container} are not forwarded any more, and cannot be published again: ${message}`);
      });
    }
  }

  const networks: Networks = {
    list() {
      withPredefined();
      return rows.networks();
    },
    get: find,
    create: async (request) =>
      await guarded(async () => {
        withPredefined();
        const network = makeNetwork(request, rows.networks(), Date.now());
        rows.insert(network);
        return rows.find(network.id);
      }),
    remove: async (name) =>
      await guarded(async () => {
        const network = find(name);
        if (network.predefined)
          throw new VarveError("NETWORK_INVALID", `${network.name} is a pre-defined network and cannot be removed`);
        const members = networks.members(network.id);
        if (members.length > 0) {
          const shown = members.map(
            ({ containerName, containerId }) => `name:"${containerName}" id:"${containerId.slice(0, 12)}"`,
          );
          throw new VarveError(
            "NETWORK_IN_USE",
            `error while removing network: network ${network.name} has active endpoints (${shown.join(", ")})`,
          );
        }
        if (rows.note("dirty") !== undefined) await follow();
        rows.delete(network.id);
        return network;
      }),
    members(networkId) {
      const network = rows.find(networkId);
      const members = rows.members();
      return rows
        .endpoints()
        .filter((row) => row.network === network.id)
        .map((row) => ({
          ...describeEndpoint(row, network),
          containerId: row.container,
          containerName: members.find(({ container }) => container === row.container)?.name ?? "",
        }));
    },
    reserve: async (attachment, { signal } = {}) =>
      await guarded(async () => {
        signal?.throwIfAborted();
        return await reserve(attachment);
      }),
    attach: async (containerId, netnsPath, { signal } = {}) => {
      const endpoints = rows.endpoints().filter(({ container }) => container === containerId);
      await plug(containerId, netnsPath, endpoints, signal);
    },
    detach: async (containerId) => {
      if (rows.members().some(({ container }) => container === containerId))
        await guarded(async () => await forget([containerId]));
    },
    connect: async (containerId, netnsPath, wish, { signal } = {}) =>
      await guarded(async () => {
        const [network] = freshen([find(wish.network)]);
        const mine = rows.endpoints().filter(({ container }) => container === containerId);
        if (network === undefined || network.driver !== "bridge")
          throw new VarveError(
            "NETWORK_INVALID",
            "container cannot be connected to multiple networks with one of the networks in host or none mode",
          );
        const member = rows.members().find(({ container }) => container === containerId);
        if (member === undefined) throw new VarveError("NETWORK_INVALID", `container ${containerId} is not running`);
        if (mine.some((endpoint) => endpoint.network === network.id))
          throw new VarveError("NETWORK_INVALID", `endpoint with name ${member.name} already exists in network ${network.name}`);
        const position = Math.max(-1, ...mine.map((endpoint) => endpoint.position)) + 1;
        const row = state.transaction(() => addEndpoint(rows, containerId, position, network, wish));
        try {
          await follow();
          await plug(containerId, netnsPath, [row], signal);
        } catch (error) {
          rows.removeEndpoint(containerId, network.id);
          await follow();
          throw error;
        }
        return describeEndpoint(row, network);
      }),
    disconnect: async (containerId, _netnsPath, name) =>
      await guarded(async () => {
        const network = find(name);
        const row = rows.endpoints().find((one) => one.container === containerId && one.network === network.id);
        if (row === undefined)
          throw new VarveError("NETWORK_INVALID", `container ${containerId} is not connected to network ${network.name}`);
        await unplug(currentPlace(), row.link);
        rows.removeEndpoint(containerId, network.id);
        await follow();
      }),
    check: (wish) => checkWish(find(wish.network), wish),
    files(attachment) {
      const endpoints = rows
        .endpoints()
        .filter(({ container }) => container === attachment.containerId)
        .toSorted((a, b) => a.position - b.position)
        .map((row) => ({ row, network: rows.find(row.network) }));
      return writeFiles(attachment, {
        kind: endpoints.length === 0 ? "none" : "bridge",
        networks: endpoints.map(({ network }) => network),
        endpoints: endpoints.map(({ row, network }) => describeEndpoint(row, network)),
        isRoot,
      });
    },
    rename: async (containerId, containerName) => {
      if (!rows.members().some(({ container }) => container === containerId)) return;
      await guarded(async () => {
        rows.renameMember(containerId, containerName);
        await follow();
      });
    },
    sweep: async (isThere) => {
      const findDead = (): readonly string[] =>
        rows.members().flatMap(({ container }) => (isThere(container) ? [] : [container]));
      if (findDead().length === 0 && rows.note("dirty") === undefined && !lacksHelper()) return;
      await guarded(async () => {
        await forget(findDead());
        await heal();
      });
    },
  };
  return networks;
}
