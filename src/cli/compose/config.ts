import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import {
  configHash,
  listVariables,
  loadProject,
  printProject,
  withoutUnused,
  type LoadOptions,
  type Project,
  type ProjectVariable,
  type Service,
} from "../../compose-file/index.ts";
import { VarveError } from "../../errors/index.ts";
import { loadOptions } from "./open-project.ts";
import { printWarning } from "./print-warning.ts";
import { defineCommand, type Call } from "../command.ts";

const flags = {
  environment: { kind: "bool", help: "Print the variables that the files can use" },
  format: { kind: "string", help: "Print as yaml or json" },
  hash: { kind: "string", help: "Print the hash of each of these services' configs; * is all" },
  images: { kind: "bool", help: "Print the names of images" },
  "lock-image-digests": { kind: "bool", help: "Print a file that pins images to digests" },
  models: { kind: "bool", help: "Print the names of models" },
  networks: { kind: "bool", help: "Print the names of networks" },
  "no-consistency": { kind: "bool", help: "Do not check that what is named is there" },
  "no-env-resolution": { kind: "bool", help: "Do not read the env_file of services" },
  "no-interpolate": { kind: "bool", help: "Leave variables as they are" },
  "no-normalize": { kind: "bool", help: "Add nothing that follows from the rest" },
  "no-path-resolution": { kind: "bool", help: "Leave paths as they are" },
  output: { kind: "string", short: "o", help: "Write to a file" },
  profiles: { kind: "bool", help: "Print the names of profiles" },
  quiet: { kind: "bool", short: "q", help: "Only check the files" },
  "resolve-image-digests": { kind: "bool", help: "Pin tags of images to digests" },
  services: { kind: "bool", help: "Print the names of services" },
  variables: { kind: "bool", help: "Print the variables of the files, and their defaults" },
  volumes: { kind: "bool", help: "Print the names of volumes" },
} as const;

/** `varve compose config`: what the Compose files mean, checked, with every field in its long form. */
export const composeConfig = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  flags,
  args: { min: 0, max: Infinity },
  async run(call) {
    const format = call.flags.format ?? "yaml";
    if (format !== "yaml" && format !== "json") {
      throw new VarveError("USAGE", `unsupported format "${format}"`, { hint: "there are yaml and json" });
    }
    const text = await textOf(call, format);
    if (call.flags.quiet === true) return;
    if (call.flags.output === undefined || call.flags.output === "") call.io.stdout.print(text);
    else await writeFile(resolve(call.io.cwd, call.flags.output), text);
  },
});

type ConfigCall = Call<typeof flags>;

async function textOf(call: ConfigCall, format: "yaml" | "json"): Promise<string> {
  const { flags: given, composeFlags, args } = call;
  const options = readOptions(call);
  if (given.variables === true) return formatVariables(await listVariables(options), format);
  const project = await loadProject({ ...options, onWarning: (warning) => printWarning(call, warning) });
  const shown = composeFlags?.["all-resources"] === true ? project : withoutUnused(project);
  if (given.services === true) return lines(inOrder(project.services));
  if (given.volumes === true) return lines(Object.keys(shown.volumes));
  if (given.networks === true) return lines(Object.keys(shown.networks));
  if (given.models === true) return lines(Object.keys(shown.models));
  if (given.images === true) return lines(Object.values(project.services).map((service) => imageOf(service, project.name)));
  if (given.environment === true)
    return lines(
      Object.entries(project.environment)
        .map(([name, value]) => `${name}=${value}`)
        .toSorted(),
    );
  if (given.profiles === true) {
    const all = { ...project.services, ...project.disabledServices };
    return lines([...new Set(Object.values(all).flatMap((service) => service.profiles ?? []))].toSorted());
  }
  if (given.hash !== undefined && given.hash !== "") return hashes(project, given.hash === "*" ? [] : given.hash.split(","));
  const printed = args.length === 0 || composeFlags?.["all-resources"] !== true ? shown : project;
  if (given["lock-image-digests"] === true) return await lockedImages(call, printed, format);
  return printProject(given["resolve-image-digests"] === true ? await withDigests(call, printed) : printed, {
    format,
    escapeDollars: given["no-interpolate"] !== true,
  });
}

/** The services' images as their registries have them now. */
async function imagesOf({ openStore, io }: ConfigCall, project: Project): Promise<Readonly<Record<string, string>>> {
  const { resolveImages } = await import("../../compose/index.ts");
  return await resolveImages(project, { remoteImages: (await openStore()).remoteImages, signal: io.signal });
}

async function lockedImages(call: ConfigCall, project: Project, format: "yaml" | "json"): Promise<string> {
  const images = await imagesOf(call, project);
  const { digestsFile } = await import("../../compose/index.ts");
  if (format === "yaml") return digestsFile(images);
  const services = Object.fromEntries(Object.entries(images).map(([name, image]) => [name, { image }]));
  return `${JSON.stringify({ services }, undefined, 2)}\n`;
}

async function withDigests(call: ConfigCall, project: Project): Promise<Project> {
  const images = await imagesOf(call, project);
  const services = Object.values(project.services).map((service): Service => {
    const image = images[service.name];
    return image === undefined ? service : { ...service, image };
  });
  return { ...project, services: Object.fromEntries(services.map((service) => [service.name, service])) };
}

function readOptions(call: ConfigCall): LoadOptions {
  const { flags: given, args } = call;
  const leavesVariables = given["no-interpolate"] === true;
  return {
    ...loadOptions(call),
    // Hashes are asked for by name
    services: given.hash === undefined ? args : [],
    interpolate: !leavesVariables,
    normalize: given["no-normalize"] !== true,
    resolvePaths: given["no-path-resolution"] !== true,
    // Names of which a part is a variable lead nowhere yet
    checkConsistency: given["no-consistency"] !== true && !leavesVariables,
    // The hash is Docker Compose's for what the files say, not for what their env_file holds today
    resolveEnvironment: given["no-env-resolution"] !== true && !leavesVariables && given.hash === undefined,
    ...(leavesVariables ? { profiles: ["*"] } : {}),
  };
}

/** Each service after those that it depends on. */
function inOrder(services: Project["services"]): readonly string[] {
  const done = new Set<string>();
  const add = (name: string): void => {
    const service = services[name];
    if (done.has(name) || service === undefined) return;
    for (const other of Object.keys(service.depends_on ?? {}).toSorted()) add(other);
    done.add(name);
  };
  for (const name of Object.keys(services)) add(name);
  return [...done];
}

function imageOf(service: Service, project: string): string {
  return service.image ?? `${project}-${service.name}`;
}

function hashes(project: Project, names: readonly string[]): string {
  for (const name of names) {
    if (!Object.hasOwn(project.services, name)) throw new VarveError("COMPOSE_SERVICE_UNKNOWN", `no such service: ${name}`);
  }
  const wanted = Object.values(project.services).filter(({ name }) => names.length === 0 || names.includes(name));
  return lines(wanted.map((service) => `${service.name} ${configHash(service)}`));
}

function formatVariables(variables: readonly ProjectVariable[], format: "yaml" | "json"): string {
  if (format === "json") {
    const entries = variables.map(({ name, isRequired, defaultValue, alternateValue }) => [
      name,
      { Name: name, DefaultValue: defaultValue, PresenceValue: alternateValue, Required: isRequired },
    ]);
    return `${JSON.stringify(Object.fromEntries(entries), undefined, 4)}\n`;
  }
  const rows = [
    ["NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE"],
    ...variables.map(({ name, isRequired, defaultValue, alternateValue }) => [
      name,
      String(isRequired),
      defaultValue,
      alternateValue,
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(20, ...rows.map((row) => (row[column] ?? "").length + 3)));
  return lines(rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("")));
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}
