import { posix } from "node:path";
import { didYouMean, VarveError } from "../errors/index.ts";
import { serviceToLong, toLongForms } from "./canonical.ts";
import { checkSchema, checkService } from "./check-schema.ts";
import { addDefaults } from "./defaults.ts";
import { isRemoteFile, readEnvFile, remoteRefusal } from "./find-files.ts";
import { interpolate } from "./interpolate.ts";
import type { FileAccess } from "./load-types.ts";
import { mergeServices, mergeTrees, settle } from "./merge.ts";
import { at, get, map, scalar, set, textOf, toPlain, type Entry, type MapNode, type Node, type SourceFile } from "./node.ts";
import { parseYaml } from "./parse-yaml.ts";
import { resolvePath, resolvePaths, resolveServicePaths } from "./paths.ts";
import type { ProjectWarning } from "./types.ts";

/** What the files of one project have in common. */
export interface FilesContext {
  readonly access: FileAccess;
  readonly interpolate: boolean;
  readonly resolvePaths: boolean;
  readonly warn: (warning: ProjectWarning) => void;
  /** The project's folder. */
  readonly projectDir: string;
}

/** One file, or several that make one model: those of the project, or those of an include. */
interface FileSet {
  /** Absolute, or `-`. */
  readonly files: readonly string[];
  /** What relative paths in them start from. */
  readonly dir: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The files that include this one, outermost first. */
  readonly includedBy: readonly string[];
}

/** How deep includes and extends may go. */
const maxChain = 100;

/**
 * Reads, merges and checks the files of a project, with all that they include and extend. The tree has long forms only,
 * the defaults, and paths that start from the project's folder.
 */
export async function loadFiles(files: FileSet, context: FilesContext): Promise<MapNode> {
  let tree = map({});
  for (const path of files.files) {
    const file = await readSource(path, context);
    for (const document of parseYaml(file)) {
      const own = await loadDocument(document, path, files, context);
      tree = mergeTrees(tree, own);
    }
  }
  if (tree.entries.size === 0)
    throw new VarveError("COMPOSE_INVALID", "empty compose file", { hint: `there is nothing in ${files.files.join(", ")}` });
  const whole = addDefaults(settle(tree));
  checkSchema(whole, { isWhole: true });
  if (!context.resolvePaths && files.dir === context.projectDir) return whole;
  return resolvePaths(whole, { base: baseOf(files.dir, context), home: context.access.home });
}

/** Reads a file without looking into it. Fails with COMPOSE_NOT_FOUND. */
export async function readSource(path: string, { access, projectDir }: FilesContext): Promise<SourceFile> {
  if (path === "-") return { name: "-", text: (await access.readStdin?.()) ?? "" };
  const text = await access.readFile(path);
  if (text === undefined) throw new VarveError("COMPOSE_NOT_FOUND", `open ${path}: no such file or directory`);
  const relative = posix.relative(projectDir, path);
  return { name: relative.startsWith("..") ? path : relative, text };
}

async function loadDocument(document: MapNode, path: string, files: FileSet, context: FilesContext): Promise<MapNode> {
  const lookup = (name: string): string | undefined => files.environment[name];
  const text = context.interpolate ? interpolate(document, { lookup, warn: context.warn }) : document;
  checkSchema(text, { isWhole: false });
  if (get(text, "version") !== undefined) {
    const message = `${path}: the attribute \`version\` is obsolete, it will be ignored, please remove it to avoid potential confusion`;
    context.warn({ message, ...at(text.entries.get("version")?.keyPlace) });
  }
  const own = set(toLongForms(set(text, "version", undefined), { isInterpolated: context.interpolate }), "include", undefined);
  const included = await applyIncludes(own, get(text, "include"), path, files, context);
  return await applyExtends(included, path, files, context);
}

/** Adds what a document includes. */
async function applyIncludes(
  own: MapNode,
  include: Node | undefined,
  path: string,
  files: FileSet,
  context: FilesContext,
): Promise<MapNode> {
  let tree = own;
  for (const item of include?.kind === "list" ? include.items : []) {
    const chain = [...files.includedBy, path];
    const included = await includedFiles(item, chain, files, context);
    const [main] = included.files;
    if (main !== undefined && chain.includes(main)) {
      throw new VarveError("COMPOSE_CYCLE", `include cycle detected: ${[...chain, main].join(" includes ")}`, at(item.place));
    }
    if (chain.length > maxChain)
      throw new VarveError("COMPOSE_TOO_LARGE", `includes go more than ${maxChain} deep`, at(item.place));
    const model = await loadFiles(included, context);
    for (const section of ["services", "volumes", "networks", "secrets", "configs", "models"]) {
      const from = get(model, section);
      if (from?.kind === "map") tree = set(tree, section, addResources(section, from, get(tree, section)));
    }
  }
  return tree;
}

/** A name means one resource: what is included twice must be the same (Compose Specification, "Include"). */
function addResources(section: string, from: MapNode, to: Node | undefined): MapNode {
  const entries = new Map<string, Entry>(to?.kind === "map" ? to.entries : []);
  for (const [name, entry] of from.entries) {
    const own = entries.get(name);
    if (own !== undefined && JSON.stringify(toPlain(own.value)) !== JSON.stringify(toPlain(entry.value))) {
      throw new VarveError("COMPOSE_INCONSISTENT", `${section}.${name} conflicts with imported resource`, {
        ...at(own.keyPlace ?? own.value.place),
        hint: "an override file of its own (-f, compose.override.yaml) can change what is included",
      });
    }
    if (own === undefined) entries.set(name, entry);
  }
  return { kind: "map", entries, place: to?.place ?? from.place };
}

async function includedFiles(item: Node, chain: readonly string[], files: FileSet, context: FilesContext): Promise<FileSet> {
  const texts = (node: Node | undefined): readonly string[] =>
    node === undefined ? [] : node.kind === "list" ? node.items.map((each) => String(toPlain(each))) : [String(toPlain(node))];
  const { home } = context.access;
  const from = (text: string, base: string): string => resolvePath(text, { base, home });
  const paths = texts(item.kind === "map" ? get(item, "path") : item);
  if (paths.length === 0) throw new VarveError("COMPOSE_INVALID", "include has no path", at(item.place));
  const located = await Promise.all(
    paths.map(async (path) => (isRemoteFile(path) ? await fetchRemote(path, item, context) : from(path, files.dir))),
  );
  const given = textOf(get(item, "project_directory"));
  const dir = given === undefined || given === "" ? posix.dirname(located[0] ?? "") : from(given, files.dir);
  const envFiles = texts(get(item, "env_file"))
    .filter((file) => file !== "/dev/null")
    .map((file) => from(file, files.dir));
  const usual = posix.join(dir, ".env");
  if (get(item, "env_file") === undefined && (await context.access.kindOf(usual)) === "file") envFiles.push(usual);
  const environment: Record<string, string> = { ...files.environment };
  for (const file of envFiles) {
    const values = await readEnvFile(file, context.access, environment, context.warn);
    for (const [name, value] of Object.entries(values)) environment[name] ??= value;
  }
  return { files: located, dir, environment, includedBy: chain };
}

async function applyExtends(tree: MapNode, path: string, files: FileSet, context: FilesContext): Promise<MapNode> {
  const services = get(tree, "services");
  if (services?.kind !== "map") return tree;
  const entries = new Map<string, Entry>();
  for (const [name, entry] of services.entries) {
    entries.set(name, { ...entry, value: await extendService(name, services, { path, files, context, chain: [] }) });
  }
  return set(tree, "services", { ...services, entries });
}

interface ExtendOptions {
  readonly path: string;
  readonly files: FileSet;
  readonly context: FilesContext;
  /** The services on the way here, with their files. */
  readonly chain: readonly string[];
}

/** A service over the one that it extends, which may extend another. */
async function extendService(name: string, services: MapNode, options: ExtendOptions): Promise<Node> {
  const service = get(services, name);
  const base = get(service, "extends");
  if (service?.kind !== "map" || base === undefined || base.tag === "reset") return service ?? scalar(null);
  const reference = textOf(get(base, "service"));
  if (reference === undefined)
    throw new VarveError("COMPOSE_INVALID", `services.${name}.extends: service is required`, at(base.place));
  const step = `${options.path} ${name}`;
  if (options.chain.includes(step) || options.chain.length > maxChain) {
    const names = [...options.chain, step].map((each) => each.slice(each.indexOf(" ") + 1));
    throw new VarveError("COMPOSE_CYCLE", `Circular reference with extends: ${names.join(" extends ")}`, at(base.place));
  }
  const chain = [...options.chain, step];
  const file = textOf(get(base, "file"));
  const found = file === undefined ? { services, options } : await servicesOfFile(file, base, options);
  if (get(found.services, reference) === undefined) {
    const near = didYouMean(reference, found.services.entries.keys());
    const place = file === undefined ? "" : ` in ${file}`;
    throw new VarveError(
      "COMPOSE_SERVICE_UNKNOWN",
      `cannot extend service "${name}" in ${options.path}: service "${reference}" not found${place}${near}`,
      at(base.place),
    );
  }
  const extended = await extendService(reference, found.services, { ...found.options, chain });
  const own = set(service, "extends", undefined);
  return extended.kind === "map" ? mergeServices(extended, own) : own;
}

/** The services of another file, in long forms and with paths that start from where that file is. */
async function servicesOfFile(
  file: string,
  node: Node,
  { files, context, chain }: ExtendOptions,
): Promise<{ readonly services: MapNode; readonly options: ExtendOptions }> {
  const { home } = context.access;
  const target = isRemoteFile(file) ? await fetchRemote(file, node, context) : resolvePath(file, { base: files.dir, home });
  const source = await readSource(target, context);
  const dir = posix.dirname(target);
  let services: Node = map({});
  for (const document of parseYaml(source)) {
    const lookup = (name: string): string | undefined => files.environment[name];
    const text = context.interpolate ? interpolate(document, { lookup, warn: context.warn }) : document;
    const found = get(text, "services");
    if (found?.kind === "map") services = { ...found, entries: new Map([...(services as MapNode).entries, ...found.entries]) };
  }
  const long = new Map<string, Entry>();
  for (const [name, entry] of (services as MapNode).entries) {
    checkService(name, entry.value, { isWhole: false });
    const value = serviceToLong(entry.value, name, { isInterpolated: context.interpolate });
    long.set(name, { ...entry, value: resolveServicePaths(value, { base: baseOf(dir, context), home }) });
  }
  return { services: { kind: "map", entries: long }, options: { path: target, files: { ...files, dir }, context, chain } };
}

/** What paths of a folder's files start from: the folder, or its way from the project's where paths stay relative. */
function baseOf(dir: string, { resolvePaths: makesAbsolute, projectDir }: FilesContext): string {
  return makesAbsolute ? dir : posix.relative(projectDir, dir);
}

/** Where a file from elsewhere is on this machine. Fails with COMPOSE_UNSUPPORTED where nobody gets any. */
async function fetchRemote(url: string, node: Node, { access }: FilesContext): Promise<string> {
  if (access.fetchRemote !== undefined) return await access.fetchRemote(url);
  const { code, message } = remoteRefusal(url);
  throw new VarveError(code, message, at(node.place));
}
