import { createHash } from "node:crypto";
import { emitYaml, toPrintable, type Printable } from "./emit-yaml.ts";
import { encodeStruct } from "./encode.ts";
import { compareBytes, compareKeys } from "./natural-order.ts";
import { sections, type SectionName } from "./shapes.ts";
import type { Network, Project, Service, Volume } from "./types.ts";

export interface PrintOptions {
  readonly format: "yaml" | "json";
  /** Dollar signs are doubled, so that what is printed is a Compose file of the same meaning. Default true. */
  readonly escapeDollars?: boolean;
}

const order: readonly SectionName[] = ["services", "networks", "volumes", "secrets", "configs", "models"];

/** The whole model as a Compose file, byte for byte as Docker Compose prints it. Resources that nobody uses are printed too. */
export function printProject(project: Project, { format, escapeDollars = true }: PrintOptions): string {
  const text = format === "yaml" ? emitYaml(encodeProject(project)) : printJson(encodeProjectForJson(project), 2);
  return escapeDollars ? text.replaceAll("$", "$$$$") : text;
}

function encodeProject(project: Project): Printable {
  const printed = new Map<string, Printable>([["name", project.name]]);
  for (const section of order) {
    const entries = encodeSection(project, section, "yaml");
    if (section === "services" || entries.size > 0) printed.set(section, entries);
  }
  for (const [key, value] of sortedEntries(project.extensions)) printed.set(key, toPrintable(value));
  return printed;
}

function encodeProjectForJson(project: Project): Printable {
  const printed: [string, Printable][] = [["name", project.name]];
  for (const section of order) {
    const entries = encodeSection(project, section, "json");
    if (section === "models") continue; // Docker Compose's JSON has none
    if (section === "services" || entries.size > 0) printed.push([section, entries]);
  }
  for (const [key, value] of Object.entries(project.extensions)) printed.push([key, toPrintable(value, compareBytes)]);
  return new Map(printed.toSorted(([left], [right]) => compareBytes(left, right)));
}

function encodeSection(project: Project, section: SectionName, form: "yaml" | "json"): ReadonlyMap<string, Printable> {
  const { shape } = sections[section];
  const resources: Readonly<Record<string, object>> = project[section];
  const compare = form === "json" ? compareBytes : compareKeys;
  return new Map(sortedEntries(resources, compare).map(([key, value]) => [key, encodeStruct({ ...value }, shape, { form })]));
}

/**
 * The SHA-256, in hex, of a service's JSON without what changes no container: `build`, `pull_policy`, `scale`,
 * `deploy.replicas`, `depends_on` and `profiles`. Equal to that of Docker Compose 2.40 (label
 * `com.docker.compose.config-hash`), so that either tells what the other made.
 */
export function configHash(service: Service): string {
  const {
    build: _build,
    pull_policy: _policy,
    scale: _scale,
    depends_on: _needs,
    profiles: _profiles,
    deploy,
    ...rest
  } = service;
  const { replicas: _replicas, ...kept } = deploy ?? {};
  const model = { ...rest, ...(deploy === undefined ? {} : { deploy: kept }) };
  return hashStruct(model, "services");
}

/** The same for what a network is declared to be: another hash, and the network has to be made anew. */
export function networkHash(network: Network): string {
  return hashStruct(network, "networks");
}

/** The same for a volume. */
export function volumeHash(volume: Volume): string {
  return hashStruct({ ...volume, driver: volume.driver ?? "local" }, "volumes");
}

function hashStruct(model: object, section: SectionName): string {
  const json = printJson(encodeStruct({ ...model }, sections[section].shape, { form: "json" }), 0);
  return createHash("sha256").update(json).digest("hex");
}

/** JSON as Go's encoder writes it: `<`, `>` and `&` escaped. Maps keep their order, which no object of JavaScript promises. */
function printJson(value: Printable, indent: number, depth = 0): string {
  const [open, close] = value instanceof Map ? ["{", "}"] : ["[", "]"];
  const parts =
    value instanceof Map
      ? [...value].map(([key, part]) => `${quote(key)}:${indent > 0 ? " " : ""}${printJson(part, indent, depth + 1)}`)
      : Array.isArray(value)
        ? value.map((item: Printable) => printJson(item, indent, depth + 1))
        : undefined;
  if (parts === undefined) return quote(value);
  if (parts.length === 0) return open + close;
  const inner = indent > 0 ? `\n${" ".repeat(indent * (depth + 1))}` : "";
  const outer = indent > 0 ? `\n${" ".repeat(indent * depth)}` : "";
  return `${open}${inner}${parts.join(`,${inner}`)}${outer}${close}`;
}

function quote(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function sortedEntries<T>(record: Readonly<Record<string, T>>, compare = compareKeys): readonly (readonly [string, T])[] {
  return Object.entries(record).toSorted(([left], [right]) => compare(left, right));
}
