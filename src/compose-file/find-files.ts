import { posix } from "node:path";
import { VarveError } from "../errors/index.ts";
import { parseDotenv } from "./dotenv.ts";
import type { FileAccess, LoadOptions } from "./load-types.ts";
import type { ProjectWarning } from "./types.ts";

/** The names under which a Compose file is looked for, in this order. */
const fileNames = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const overrideNames = [
  "compose.override.yml",
  "compose.override.yaml",
  "docker-compose.override.yml",
  "docker-compose.override.yaml",
];

export interface FoundFiles {
  /** Absolute, or `-`. */
  readonly files: readonly string[];
  readonly workingDir: string;
  /** What the project is called after, where nothing gives it a name. */
  readonly folder: string;
  /** The caller's environment, and what the `.env` files add. */
  readonly environment: Readonly<Record<string, string>>;
  readonly envFiles: readonly string[];
}

/**
 * Which Compose files and which environment a call means: flags, then COMPOSE_FILE (from the environment or a `.env`
 * file), then the nearest folder upward that has a Compose file. Fails with COMPOSE_NOT_FOUND.
 */
export async function findFiles(options: LoadOptions, warn: (warning: ProjectWarning) => void): Promise<FoundFiles> {
  const { access, cwd } = options;
  const absolute = (path: string): string => posix.resolve(cwd, path);
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.env)) if (value !== undefined) environment[name] = value;
  const envFiles = new Set<string>();

  let isRemote = false;
  const place = async (file: string): Promise<string> => {
    if (file === "-") return file;
    if (!isRemoteFile(file)) return absolute(file);
    if (access.fetchRemote === undefined) throw remoteRefusal(file);
    isRemote = true;
    return await access.fetchRemote(file);
  };
  let files = await Promise.all((options.files ?? []).map(place));
  const projectDir = options.projectDirectory === undefined ? undefined : absolute(options.projectDirectory);
  const workingDir = (): string => {
    const first = files.find((file) => file !== "-");
    return projectDir ?? (first === undefined ? cwd : posix.dirname(first));
  };
  const readEnvFiles = async (): Promise<void> => {
    for (const file of await listEnvFiles(options, environment, isRemote ? (projectDir ?? cwd) : workingDir())) {
      if (envFiles.has(file)) continue;
      envFiles.add(file);
      const values = await readEnvFile(file, access, environment, warn);
      for (const [name, value] of Object.entries(values)) environment[name] ??= value;
    }
  };

  await readEnvFiles();
  const named = environment["COMPOSE_FILE"] ?? "";
  if (files.length === 0 && named !== "") {
    const separator = environment["COMPOSE_PATH_SEPARATOR"] ?? "";
    // A URL has colons of its own: beside other files it needs another separator.
    const listed = separator === "" && isRemoteFile(named) ? [named] : named.split(separator === "" ? ":" : separator);
    files = await Promise.all(listed.map(place));
  }
  if (files.length === 0) files = [...(await searchUpward(workingDir(), access, warn))];
  await readEnvFiles();
  const folder = posix.basename(isRemote ? (projectDir ?? cwd) : workingDir());
  return { files, workingDir: workingDir(), folder, environment, envFiles: [...envFiles] };
}

/** Whether a file is elsewhere: an artifact of a registry, or in a Git repository. */
export function isRemoteFile(file: string): boolean {
  return /^(?:oci|https?|git|ssh):\/\/|^git@|^github\.com\//.test(file);
}

export function remoteRefusal(file: string): VarveError {
  return new VarveError("COMPOSE_UNSUPPORTED", `Compose files are read from this machine only, not from ${file}`);
}

async function listEnvFiles(
  options: LoadOptions,
  environment: Readonly<Record<string, string>>,
  dir: string,
): Promise<readonly string[]> {
  const absolute = (path: string): string => posix.resolve(options.cwd, path);
  if (options.envFiles !== undefined && options.envFiles.length > 0) return options.envFiles.map(absolute);
  const named = environment["COMPOSE_ENV_FILES"] ?? "";
  if (named !== "") return named.split(",").map(absolute);
  if (["1", "t", "true"].includes((environment["COMPOSE_DISABLE_ENV_FILE"] ?? "").toLowerCase())) return [];
  const usual = posix.join(dir, ".env");
  return (await options.access.kindOf(usual)) === "file" ? [usual] : [];
}

/** The values of one `.env` file; the environment wins where its own lines name a variable. */
export async function readEnvFile(
  path: string,
  access: FileAccess,
  environment: Readonly<Record<string, string>>,
  warn: (warning: ProjectWarning) => void,
): Promise<Readonly<Record<string, string>>> {
  if ((await access.kindOf(path)) === "folder") throw new VarveError("COMPOSE_ENV_FILE", `${path} is a directory`);
  const text = await access.readFile(path);
  if (text === undefined) throw new VarveError("COMPOSE_ENV_FILE", `couldn't find env file: ${path}`);
  return parseDotenv(text, {
    name: path,
    lookup: (name) => environment[name],
    onUnset: (name) => warn({ message: `The "${name}" variable is not set. Defaulting to a blank string.` }),
  });
}

async function searchUpward(
  start: string,
  access: FileAccess,
  warn: (warning: ProjectWarning) => void,
): Promise<readonly string[]> {
  for (let dir = start; ; dir = posix.dirname(dir)) {
    const main = await firstOf(fileNames, dir, access, warn);
    if (main !== undefined) {
      const override = await firstOf(overrideNames, dir, access, warn);
      return override === undefined ? [main] : [main, override];
    }
    if (dir === posix.dirname(dir)) break;
  }
  throw new VarveError("COMPOSE_NOT_FOUND", "no configuration file provided: not found", {
    hint: `there is no ${fileNames.join(", ")} here or in a folder above; -f names one`,
  });
}

async function firstOf(
  names: readonly string[],
  dir: string,
  access: FileAccess,
  warn: (warning: ProjectWarning) => void,
): Promise<string | undefined> {
  const found: string[] = [];
  for (const name of names) {
    const path = posix.join(dir, name);
    if ((await access.kindOf(path)) === "file") found.push(path);
  }
  const [first] = found;
  if (found.length > 1) {
    warn({ message: `Found multiple config files with supported names: ${found.join(", ")}` });
    warn({ message: `Using ${first}` });
  }
  return first;
}
