import { VarveError } from "../../errors/index.ts";
import type { VolumeRecord } from "../../volumes/index.ts";
import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { eachName, printInspected } from "../each-name.ts";
import { compileListing } from "../format/listing.ts";
import { formatSize } from "../format/sizes.ts";
import { describeVolume, volumeForTemplates } from "../networks/describe-network.ts";
import { formatLabels, hasLabels, readFilters, readNamedValues, readTruth } from "../networks/named-values.ts";
import { optional } from "../store.ts";

export const volumeCreate = defineCommand({
  usage: "[OPTIONS] [VOLUME]",
  flags: {
    driver: { kind: "string", short: "d", help: "Volume driver; there is local (default)" },
    label: { kind: "list", help: "Set metadata for a volume" },
    name: { kind: "string", help: "Volume name", hidden: true },
    opt: { kind: "list", short: "o", help: "Set driver specific options: type, o, device" },
  },
  args: { min: 0, max: 1 },
  failureExitCode: 1,
  async run({ flags, args: [named], io, openStore }) {
    if (named !== undefined && flags.name !== undefined)
      throw new VarveError(
        "USAGE",
        "conflicting options: cannot specify a volume-name through both --name and as a positional arg",
      );
    const { volumes } = await openStore();
    const { name } = await volumes.create({
      ...optional("name", named ?? flags.name),
      ...optional("driver", flags.driver),
      labels: readNamedValues(flags.label),
      options: readNamedValues(flags.opt),
    });
    io.stdout.print(`${name}\n`);
  },
});

export const volumeLs = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    cluster: { kind: "bool", help: "Display only cluster volumes", hidden: true, only: ["false"] },
    filter: { kind: "list", short: "f", help: "Show only what meets a condition: dangling, driver, label, name" },
    format: { kind: "string", help: "Print each volume by a template, or as table or json" },
    quiet: { kind: "bool", short: "q", help: "Show names only" },
  },
  args: { min: 0, max: 0 },
  failureExitCode: 1,
  async run({ flags, io, openStore }) {
    const print = compileListing<VolumeRow>(flags.quiet === true ? "{{.Name}}" : flags.format);
    const { dangling, driver, label, name } = readFilters(flags.filter, ["dangling", "driver", "label", "name"]);
    const isDangling = readTruth("dangling", dangling);
    const { volumes } = await openStore();
    const rows = volumes
      .list()
      .filter(
        (volume) =>
          (driver.length === 0 || driver.includes(volume.driver)) &&
          (name.length === 0 || name.some((one) => volume.name.includes(one))) &&
          hasLabels(volume.labels, label) &&
          (isDangling === undefined || isDangling === (volumes.usersOf(volume.name).length === 0)),
      )
      .map(volumeRow);
    io.stdout.print(print({ rows, headings: volumeHeadings, columns: ["Driver", "Name"] }));
  },
});

export const volumeHeadings = {
  Availability: "AVAILABILITY",
  Driver: "DRIVER",
  Group: "GROUP",
  Labels: "LABELS",
  Links: "LINKS",
  Mountpoint: "MOUNTPOINT",
  Name: "VOLUME NAME",
  Scope: "SCOPE",
  Size: "SIZE",
  Status: "STATUS",
};

/** A line of `varve volume ls`; the names of the fields are those of Docker's templates. */
export type VolumeRow = Readonly<Record<keyof typeof volumeHeadings, string>>;

export function volumeRow(volume: VolumeRecord): VolumeRow {
  return {
    Availability: "N/A",
    Driver: volume.driver,
    Group: "N/A",
    Labels: formatLabels(volume.labels),
    Links: "N/A",
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Scope: "local",
    Size: "N/A",
    Status: "N/A",
  };
}

export const volumeRm = defineCommand({
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  flags: { force: { kind: "bool", short: "f", help: "Say nothing about volumes that do not exist" } },
  args: { min: 1, max: Infinity },
  failureExitCode: 1,
  async run({ flags, args, io, openStore }) {
    const { volumes } = await openStore();
    await eachName(args, io, async (name) => {
      await volumes.remove(name, { force: flags.force === true });
      return name;
    });
  },
});

export const volumeInspect = defineCommand({
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  flags: { format: { kind: "string", short: "f", help: "Print each volume by a template, or as json" } },
  args: { min: 1, max: Infinity },
  failureExitCode: 1,
  async run({ flags: { format }, args, io, openStore }) {
    const store = await openStore();
    printInspected(args, { format, io }, { look: (name) => describeVolume(store, name), forTemplates: volumeForTemplates });
  },
});

export const volumePrune = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    all: { kind: "bool", short: "a", help: "Remove all volumes that no container uses, not only anonymous ones" },
    filter: { kind: "list", help: "Remove only what meets a condition: label, label!, all" },
    force: { kind: "bool", short: "f", help: "Do not ask" },
  },
  args: { min: 0, max: 0 },
  failureExitCode: 1,
  async run({ flags, io, openStore }) {
    const { label, "label!": notLabel, all: allFilter } = readFilters(flags.filter, ["label", "label!", "all"]);
    if (flags.all === true && allFilter.length > 0)
      throw new VarveError("USAGE", "conflicting options: cannot specify both --all and --filter all=1");
    const all = flags.all === true || readTruth("all", allFilter) === true;
    const which = all ? "all local volumes" : "anonymous local volumes";
    const asked = `WARNING! This will remove ${which} not used by at least one container.\nAre you sure you want to continue?`;
    if (flags.force !== true && !(await confirm(asked, io))) return;
    const { volumes } = await openStore();
    const { removed, freedBytes } = await volumes.prune({
      all,
      accepts: ({ labels }) => hasLabels(labels, label) && notLabel.every((one) => !hasLabels(labels, [one])),
    });
    if (removed.length > 0) io.stdout.print(`Deleted Volumes:\n${removed.map((name) => `${name}\n`).join("")}\n`);
    io.stdout.print(`Total reclaimed space: ${formatSize(freedBytes, 4)}\n`);
  },
});
