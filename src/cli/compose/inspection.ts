import { dockerComposeVersion, isCalledDocker } from "../docker/called-as.ts";
import { VarveError } from "../../errors/index.ts";
import { packageVersion } from "../../package/index.ts";
import { defineCommand } from "../command.ts";
import { volumeHeadings, volumeRow, type VolumeRow } from "../commands/volume.ts";
import { formatAge } from "../format/durations.ts";
import { compileListing } from "../format/listing.ts";
import { formatSize } from "../format/sizes.ts";
import { shortId } from "../format/table.ts";
import { composeTable } from "./compose-table.ts";
import { readNumber } from "./flag-values.ts";
import { openContext } from "./open-context.ts";
import { readProjectOrName } from "./open-project.ts";

export const composeImages = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  flags: {
    format: { kind: "string", help: "Format the output. Values: [table | json]" },
    quiet: { kind: "bool", short: "q", help: "Only display IDs" },
  },
  args: { min: 0, max: Infinity },
  failureExitCode: 1,
  async run(call) {
    const { flags, args, io } = call;
    const context = await openContext(call, await readProjectOrName(call));
    const { observeProject, ofServices } = await import("../../compose/index.ts");
    const { formatPlatform, parseReference, familiarName, withDefaultTag, isReference } = await import("../../oci/index.ts");
    const rows = [];
    for (const { name, container } of ofServices(await observeProject(context), args)) {
      const { image, imageId } = container.config;
      const details = await context.engine.images.inspect(imageId);
      const reference = isReference(image) && !image.startsWith("sha256:") ? withDefaultTag(parseReference(image)) : undefined;
      rows.push({
        ID: imageId,
        ContainerName: name,
        Repository: reference === undefined ? "<none>" : familiarName(reference),
        Tag: reference?.tag ?? "<none>",
        Platform: formatPlatform(details.platform),
        Size: details.sizeBytes,
        Created: details.createdMs,
      });
    }
    if (flags.quiet === true) {
      io.stdout.print([...new Set(rows.map(({ ID }) => `${ID.replace("sha256:", "")}\n`))].join(""));
      return;
    }
    if (flags.format === "json") {
      const json = rows.map(({ Created, ...row }) => ({ ...row, LastTagTime: new Date(Created).toISOString() }));
      io.stdout.print(`${JSON.stringify(json)}\n`);
      return;
    }
    if (flags.format !== undefined && flags.format !== "table")
      throw new VarveError("USAGE", `format value "${flags.format}" could not be parsed`);
    io.stdout.print(
      composeTable(
        ["CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED"],
        rows.map((row) => [
          row.ContainerName,
          row.Repository,
          row.Tag,
          row.Platform,
          shortId(row.ID),
          formatSize(row.Size),
          formatAge(row.Created, io.now()),
        ]),
        { minWidth: 20 },
      ),
    );
  },
});

export const composeTop = defineCommand({
  usage: "[SERVICES...]",
  flags: {},
  args: { min: 0, max: Infinity },
  failureExitCode: 1,
  async run(call) {
    const context = await openContext(call, await readProjectOrName(call));
    const { isRunning, observeProject, ofServices } = await import("../../compose/index.ts");
    const running = ofServices(await observeProject(context), call.args).filter(isRunning);
    const rows: string[][] = [];
    let titles: readonly string[] = [];
    for (const { id, service, number } of running) {
      const top = await context.engine.containers.top(id);
      ({ titles } = top);
      for (const row of top.rows) rows.push([service, String(number), ...row]);
    }
    if (rows.length > 0) call.io.stdout.print(composeTable(["SERVICE", "#", ...titles], rows, { minWidth: 4, gap: 2 }));
  },
});

export const composePort = defineCommand({
  usage: "[OPTIONS] SERVICE PRIVATE_PORT",
  flags: {
    index: { kind: "string", help: "Index of the container if service has multiple replicas" },
    protocol: { kind: "string", help: "tcp or udp (default tcp)" },
  },
  args: { min: 2, max: 2 },
  failureExitCode: 1,
  async run(call) {
    const { flags, args, io } = call;
    const [service = "", text = ""] = args;
    const wanted = readNumber(text, "PRIVATE_PORT");
    const protocol = flags.protocol ?? "tcp";
    const index = readNumber(flags.index, "--index");
    const context = await openContext(call, await readProjectOrName(call));
    const { findContainer } = await import("../../compose/index.ts");
    const { container, name } = await findContainer(context, service, {
      running: true,
      ...(index === undefined ? {} : { index }),
    });
    const found = container.ports.find((port) => port.containerPort === wanted && port.protocol === protocol);
    if (found === undefined) throw new VarveError("SERVICE_NOT_FOUND", `no port ${text}/${protocol} for container ${name}`);
    io.stdout.print(`${found.hostIp.includes(":") ? `[${found.hostIp}]` : found.hostIp}:${found.hostPort}\n`);
  },
});

export const composeVolumes = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  flags: {
    format: { kind: "string", help: "Format output using a custom template: table, json or a template" },
    quiet: { kind: "bool", short: "q", help: "Only display volume names" },
  },
  args: { min: 0, max: Infinity },
  failureExitCode: 1,
  async run(call) {
    const { flags, args, io } = call;
    const print = compileListing<VolumeRow>(flags.quiet === true ? "{{.Name}}" : flags.format);
    const { allServices, labels } = await import("../../compose/index.ts");
    const project = await readProjectOrName(call);
    const context = await openContext(call, project);
    const used = new Set(
      args.flatMap((name) => (allServices(project)[name]?.volumes ?? []).flatMap(({ source }) => source ?? [])),
    );
    const rows = context.engine.volumes
      .list()
      .filter((volume) => volume.labels[labels.project] === project.name)
      .filter((volume) => args.length === 0 || used.has(volume.labels[labels.volume] ?? ""))
      .map(volumeRow);
    io.stdout.print(print({ rows, headings: volumeHeadings, columns: ["Driver", "Name"] }));
  },
});

export const composeVersion = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    format: { kind: "string", short: "f", help: "Format the output. Values: [pretty | json]" },
    short: { kind: "bool", help: "Shows only Compose's version number" },
  },
  args: { min: 0, max: 0 },
  async run({ flags, io }) {
    const version = isCalledDocker(io.env) ? dockerComposeVersion : packageVersion();
    if (flags.short === true) io.stdout.print(`${version}\n`);
    else if (flags.format === "json") io.stdout.print(`${JSON.stringify({ version: `v${version}` })}\n`);
    else io.stdout.print(`Docker Compose version v${version} (varve)\n`);
    await Promise.resolve();
  },
});
