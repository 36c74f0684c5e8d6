import { checkProject } from "./check-project.ts";
import { decodeSection, type DecodeOptions } from "./decode.ts";
import { findFiles, type FoundFiles } from "./find-files.ts";
import { collectReferences, interpolate } from "./interpolate.ts";
import { loadFiles, readSource, type FilesContext } from "./load-files.ts";
import type { LoadOptions } from "./load-types.ts";
import { get, map, textOf, toPlain, type MapNode } from "./node.ts";
import { normalise, type Sections } from "./normalise.ts";
import { parseYaml } from "./parse-yaml.ts";
import { chooseProjectName } from "./project-name.ts";
import { hasProfile, selectServices } from "./select-services.ts";
import { readServiceFiles } from "./service-files.ts";
import { sections, type SectionName } from "./shapes.ts";
import type { Project, ProjectWarning, Service } from "./types.ts";

/**
 * Finds, reads and checks the Compose files of a project and gives its model (Compose Specification). With `services`, the
 * model has these and what they depend on. Fails with COMPOSE_… errors that say file, line and column. What nobody uses is
 * in the model too: see `withoutUnused`.
 */
export async function loadProject(options: LoadOptions): Promise<Project> {
  const { access } = options;
  const warnings: ProjectWarning[] = [];
  const warn = (warning: ProjectWarning): void => {
    if (warnings.some((each) => each.message === warning.message)) return;
    warnings.push(warning);
    options.onWarning?.(warning);
  };
  const found = await findFiles(options, warn);
  const isInterpolated = options.interpolate !== false;
  const context: FilesContext = {
    access: onceRead(access),
    interpolate: isInterpolated,
    resolvePaths: options.resolvePaths !== false,
    warn,
    projectDir: found.workingDir,
  };
  const name = chooseProjectName({
    given: options.projectName,
    environment: found.environment["COMPOSE_PROJECT_NAME"],
    files: await nameInFiles(found, context),
    folder: found.folder,
  });
  const environment = { ...found.environment, COMPOSE_PROJECT_NAME: name };
  const tree = await loadFiles({ files: found.files, dir: found.workingDir, environment, includedBy: [] }, context);
  const decoded = decodeTree(tree, { isInterpolated, warn });
  const whole = options.normalize === false ? decoded : normalise(decoded, name, environment);
  const profiles = activeProfiles(options, environment);
  const project: Project = {
    name,
    workingDir: found.workingDir,
    composeFiles: found.files,
    envFiles: found.envFiles,
    environment,
    profiles,
    ...whole,
    services: pick(whole.services, (service) => hasProfile(service, profiles)),
    disabledServices: pick(whole.services, (service) => !hasProfile(service, profiles)),
    extensions: Object.fromEntries(
      [...tree.entries].filter(([key]) => key.startsWith("x-")).map(([key, { value }]) => [key, toPlain(value)]),
    ),
    warnings,
  };
  if (options.checkConsistency !== false) checkProject(project, tree);
  const selected = selectServices(project, options.services ?? []);
  const parts = { environment: options.resolveEnvironment !== false };
  const services: Record<string, Service> = {};
  for (const [key, service] of Object.entries(selected.services)) {
    services[key] = await readServiceFiles(service, { access, environment, warn }, parts);
  }
  return { ...selected, services };
}

/** A variable of a project's files, and what they say of it. */
export interface ProjectVariable {
  readonly name: string;
  /** `${NAME:?…}`: without it nothing goes. */
  readonly isRequired: boolean;
  readonly defaultValue: string;
  /** What stands for it where it is set: `${NAME:+VALUE}`. */
  readonly alternateValue: string;
}

/** The variables that the files of a project use, by name. Nothing is replaced. */
export async function listVariables(options: LoadOptions): Promise<readonly ProjectVariable[]> {
  const warn = (): void => undefined;
  const found = await findFiles(options, warn);
  const context = {
    access: onceRead(options.access),
    interpolate: false,
    resolvePaths: false,
    warn,
    projectDir: found.workingDir,
  };
  const { files, workingDir: dir, environment } = found;
  const tree = await loadFiles({ files, dir, environment, includedBy: [] }, context);
  const variables = new Map<string, ProjectVariable>();
  for (const { name, operator, word = "" } of collectReferences(tree)) {
    const before = variables.get(name);
    variables.set(name, {
      name,
      isRequired: before?.isRequired === true || operator?.endsWith("?") === true,
      defaultValue: operator?.endsWith("-") === true ? word : (before?.defaultValue ?? ""),
      alternateValue: operator?.endsWith("+") === true ? word : (before?.alternateValue ?? ""),
    });
  }
  return [...variables.values()].toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

/** Profiles of the flags, else those of the environment. */
function activeProfiles(options: LoadOptions, environment: Readonly<Record<string, string>>): readonly string[] {
  if (options.profiles !== undefined && options.profiles.length > 0) return options.profiles;
  return (environment["COMPOSE_PROFILES"] ?? "")
    .split(",")
    .map((profile) => profile.trim())
    .filter((profile) => profile !== "");
}

/** `name:` of the last file that has one, with its variables replaced. */
async function nameInFiles(found: FoundFiles, context: FilesContext): Promise<string | undefined> {
  let name: string | undefined;
  for (const path of found.files) {
    for (const document of parseYaml(await readSource(path, context))) {
      const own = get(document, "name");
      if (textOf(own) === undefined || own === undefined) continue;
      const lookup = (variable: string): string | undefined => found.environment[variable];
      const part = map({ name: own });
      name = textOf(get(context.interpolate ? interpolate(part, { lookup, warn: context.warn }) : part, "name"));
    }
  }
  return name;
}

function decodeTree(tree: MapNode, options: DecodeOptions): Sections {
  const section = (name: SectionName): Readonly<Record<string, never>> => {
    const node = get(tree, name);
    const decoded = node?.kind === "map" ? decodeSection(node, sections[name].shape, [name], options) : {};
    const sorted = Object.entries(decoded).toSorted(([left], [right]) => (left < right ? -1 : 1));
    const entries = sorted.map(([key, value]) => [key, name === "services" ? { name: key, ...value } : value]);
    // The tables of shapes and the types say the same
    return Object.fromEntries(entries) as Readonly<Record<string, never>>;
  };
  return {
    services: section("services"),
    networks: section("networks"),
    volumes: section("volumes"),
    secrets: section("secrets"),
    configs: section("configs"),
    models: section("models"),
  };
}

function pick(
  services: Readonly<Record<string, Service>>,
  isWanted: (service: Service) => boolean,
): Readonly<Record<string, Service>> {
  return Object.fromEntries(Object.entries(services).filter(([, service]) => isWanted(service)));
}

/** Stdin can be read once only, and a file is read for its name and for its content. */
function onceRead(access: LoadOptions["access"]): LoadOptions["access"] {
  const { readStdin } = access;
  if (readStdin === undefined) return access;
  let text: Promise<string> | undefined;
  return { ...access, readStdin: () => (text ??= readStdin()) };
}
