import { VarveError } from "../../errors/index.ts";
import type { NetworkRecord } from "../../networks/index.ts";
import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { eachName, printInspected } from "../each-name.ts";
import { formatGoTime } from "../format/go-time.ts";
import { compileListing } from "../format/listing.ts";
import { shortId } from "../format/table.ts";
import { describeNetwork, networkForTemplates } from "../networks/describe-network.ts";
import { listRemoved, pruneNetworks } from "../networks/prune-networks.ts";
import { formatLabels, hasLabels, readFilters, readNamedValues, readTruth } from "../networks/named-values.ts";
import { optional } from "../store.ts";
import { readImageFilters } from "../store-filters.ts";

export const networkCreate = defineCommand({
  usage: "[OPTIONS] NETWORK",
  flags: {
    attachable: { kind: "bool", help: "Enable manual container attachment" },
    "aux-address": { kind: "list", help: "IPv4 or IPv6 addresses that no container gets (name=address)" },
    "config-from": { kind: "string", help: "The network from which to copy the configuration", only: [] },
    "config-only": { kind: "bool", help: "Create a configuration only network", only: ["false"] },
    driver: { kind: "string", short: "d", help: "Driver to manage the network; there is bridge (default)" },
    gateway: { kind: "csv", help: "IPv4 or IPv6 gateway of its subnet" },
    ingress: { kind: "bool", help: "Create swarm routing-mesh network", only: ["false"] },
    internal: { kind: "bool", help: "No way out of the network" },
    "ip-range": { kind: "csv", help: "Take containers' addresses from a part of the subnet" },
    "ipam-driver": { kind: "string", help: "IP Address Management Driver", only: ["default"] },
    "ipam-opt": { kind: "list", help: "Set IPAM driver specific options", only: [] },
    ipv4: { kind: "bool", help: "Assign IPv4 addresses", only: ["true"] },
    ipv6: { kind: "bool", help: "Assign IPv6 addresses, too" },
    label: { kind: "list", help: "Set metadata on a network" },
    opt: { kind: "list", short: "o", help: "Set driver specific options" },
    scope: { kind: "string", help: "Control the network's scope", only: ["local"] },
    subnet: { kind: "csv", help: "Subnet in CIDR format, one of each family at most" },
  },
  args: { min: 1, max: 1 },
  failureExitCode: 1,
  async run({ flags, args: [name = ""], io, openStore }) {
    const { matchSubnets } = await import("../../networks/index.ts");
    const subnets = matchSubnets({
      subnets: flags.subnet,
      gateways: flags.gateway,
      ipRanges: flags["ip-range"],
      auxiliary: readNamedValues(flags["aux-address"]),
    });
    const { networks } = await openStore();
    const { id } = await networks.create({
      name,
      ...optional("driver", flags.driver),
      labels: readNamedValues(flags.label),
      options: readNamedValues(flags.opt),
      internal: flags.internal === true,
      attachable: flags.attachable === true,
      enableIpv6: flags.ipv6 === true,
      subnets,
    });
    io.stdout.print(`${id}\n`);
  },
});

export const networkLs = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    filter: {
      kind: "list",
      short: "f",
      help: "Show only what meets a condition: driver, id, label, name, scope, type, dangling",
    },
    format: { kind: "string", help: "Print each network by a template, or as table or json" },
    "no-trunc": { kind: "bool", help: "Show whole IDs" },
    quiet: { kind: "bool", short: "q", help: "Show IDs only" },
  },
  args: { min: 0, max: 0 },
  failureExitCode: 1,
  async run({ flags, io, openStore }) {
    const print = compileListing<NetworkRow>(flags.quiet === true ? "{{.ID}}" : flags.format);
    const { driver, id, label, name, scope, type, dangling } = readFilters(flags.filter, networkFilters);
    const isDangling = readTruth("dangling", dangling);
    const badType = type.find((one) => one !== "custom" && one !== "builtin");
    if (badType !== undefined) throw new VarveError("FILTER_INVALID", `invalid filter: 'type'='${badType}'`);
    const { networks } = await openStore();
    const any = (wanted: readonly string[], fits: (one: string) => boolean): boolean => wanted.length === 0 || wanted.some(fits);
    const rows = networks
      .list()
      .filter(
        (network) =>
          any(driver, (one) => network.driver === one) &&
          any(id, (one) => network.id.includes(one)) &&
          any(name, (one) => network.name.includes(one)) &&
          any(scope, (one) => one === "local") &&
          any(type, (one) => network.predefined === (one === "builtin")) &&
          hasLabels(network.labels, label) &&
          (isDangling === undefined || isDangling === (!network.predefined && networks.members(network.id).length === 0)),
      )
      .map((network) => networkRow(network, flags["no-trunc"] === true));
    io.stdout.print(print({ rows, headings: networkHeadings, columns: ["ID", "Name", "Driver", "Scope"] }));
  },
});

const networkFilters = ["driver", "id", "label", "name", "scope", "type", "dangling"] as const;

const networkHeadings = {
  ID: "NETWORK ID",
  Name: "NAME",
  Driver: "DRIVER",
  Scope: "SCOPE",
  CreatedAt: "CREATED AT",
  Internal: "INTERNAL",
  IPv4: "IPV4",
  IPv6: "IPV6",
  Labels: "LABELS",
};

/** A line of `varve network ls`; the names of the fields are those of Docker's templates. */
type NetworkRow = Readonly<Record<keyof typeof networkHeadings, string>>;

function networkRow(network: NetworkRecord, noTrunc: boolean): NetworkRow {
  return {
    CreatedAt: formatGoTime(network.createdMs),
    Driver: network.driver,
    ID: noTrunc ? network.id : shortId(network.id),
    IPv4: "true",
    IPv6: String(network.ipv6),
    Internal: String(network.internal),
    Labels: formatLabels(network.labels),
    Name: network.name,
    Scope: "local",
  };
}

export const networkRm = defineCommand({
  usage: "[OPTIONS] NETWORK [NETWORK...]",
  flags: { force: { kind: "bool", short: "f", help: "Say nothing about networks that do not exist" } },
  args: { min: 1, max: Infinity },
  failureExitCode: 1,
  async run({ flags, args, io, openStore }) {
    const { networks } = await openStore();
    await eachName(args, io, async (name) => {
      try {
        await networks.remove(name);
        return name;
      } catch (error) {
        if (flags.force === true && error instanceof VarveError && error.kind === "not-found") return undefined;
        throw error;
      }
    });
  },
});

export const networkInspect = defineCommand({
  usage: "[OPTIONS] NETWORK [NETWORK...]",
  flags: {
    format: { kind: "string", short: "f", help: "Print each network by a template, or as json" },
    verbose: { kind: "bool", short: "v", help: "Verbose output for diagnostics; there is nothing more to say" },
  },
  args: { min: 1, max: Infinity },
  failureExitCode: 1,
  async run({ flags: { format }, args, io, openStore }) {
    const store = await openStore();
    printInspected(args, { format, io }, { look: (name) => describeNetwork(store, name), forTemplates: networkForTemplates });
  },
});

export const networkPrune = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    filter: { kind: "list", help: "Remove only what meets a condition: until, label" },
    force: { kind: "bool", short: "f", help: "Do not ask" },
  },
  args: { min: 0, max: 0 },
  failureExitCode: 1,
  async run({ flags, io, openStore }) {
    const { dangling, ...filters } = readImageFilters(flags.filter, io.now());
    if (dangling !== undefined) throw new VarveError("FILTER_INVALID", "invalid filter 'dangling'");
    const asked =
      "WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?";
    if (flags.force !== true && !(await confirm(asked, io))) return;
    const { networks } = await openStore();
    io.stdout.print(listRemoved("Deleted Networks", await pruneNetworks(networks, filters)));
  },
});

export const networkConnect = defineCommand({
  usage: "[OPTIONS] NETWORK CONTAINER",
  flags: {
    alias: { kind: "csv", help: "Further name of the container on the network" },
    "driver-opt": { kind: "csv", help: "Driver options for the network", only: [] },
    "gw-priority": { kind: "string", help: "Which network the way out leads through", only: [] },
    ip: { kind: "string", help: "IPv4 address" },
    ip6: { kind: "string", help: "IPv6 address" },
    link: { kind: "csv", help: "Add link to another container", only: [] },
    "link-local-ip": { kind: "csv", help: "Add a link-local address for the container", only: [] },
  },
  args: { min: 2, max: 2 },
  failureExitCode: 1,
  async run({ flags, args: [network = "", container = ""], io, openStore }) {
    const { containers } = await openStore();
    const endpoint = { aliases: flags.alias, ...optional("ipv4", flags.ip), ...optional("ipv6", flags.ip6) };
    await containers.connect(container, network, { endpoint, signal: io.signal });
  },
});

export const networkDisconnect = defineCommand({
  usage: "[OPTIONS] NETWORK CONTAINER",
  flags: { force: { kind: "bool", short: "f", help: "Force the container to disconnect from a network" } },
  args: { min: 2, max: 2 },
  failureExitCode: 1,
  async run({ flags, args: [network = "", container = ""], io, openStore }) {
    const { containers } = await openStore();
    await containers.disconnect(container, network, { force: flags.force === true, signal: io.signal });
  },
});
