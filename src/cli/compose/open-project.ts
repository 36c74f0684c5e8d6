import { readFile, stat } from "node:fs/promises";
import { loadProject, type FileAccess, type LoadOptions, type Project, type Service } from "../../compose-file/index.ts";
import { VarveError, isVarveError } from "../../errors/index.ts";
import type { Call } from "../command.ts";
import type { Io } from "../io.ts";
import { nonEmpty, optional } from "../store.ts";
import { printWarning } from "./print-warning.ts";

export type ComposeCall = Pick<Call, "composeFlags" | "io" | "openStore" | "dockerConfigDir" | "debug" | "builderName" | "atEnd">;

/** What `-f`, `-p`, `--profile` and the environment say of the project's files. */
export function loadOptions(call: Pick<ComposeCall, "composeFlags" | "io" | "openStore">): LoadOptions {
  const { composeFlags: flags, io } = call;
  const directory = nonEmpty(flags?.["project-directory"]) ?? nonEmpty(flags?.workdir);
  return {
    cwd: io.cwd,
    env: io.env,
    access: {
      ...fileAccess(io),
      fetchRemote: async (url) => await (await import("./remote-files.ts")).fetchRemoteFile(url, call),
    },
    ...(flags === undefined || flags.file.length === 0 ? {} : { files: flags.file }),
    ...(flags === undefined || flags.profile.length === 0 ? {} : { profiles: flags.profile }),
    ...(flags === undefined || flags["env-file"].length === 0 ? {} : { envFiles: flags["env-file"] }),
    ...optional("projectDirectory", directory),
    ...optional("projectName", nonEmpty(flags?.["project-name"])),
  };
}

/** The project of the files; its warnings are printed. `services`: only these, and what they depend on. */
export async function readProject(
  call: ComposeCall,
  services: readonly string[] = [],
  more: Pick<LoadOptions, "profiles" | "resolveEnvironment"> = {},
): Promise<Project> {
  return await loadProject({ ...loadOptions(call), ...more, services, onWarning: (warning) => printWarning(call, warning) });
}

/**
 * The same, for commands that only need to know which containers are meant: without files, a project that is named has what its
 * containers' labels tell.
 */
export async function readProjectOrName(call: ComposeCall): Promise<Project> {
  const options = loadOptions(call);
  const name = options.projectName ?? nonEmpty(call.io.env["COMPOSE_PROJECT_NAME"]);
  try {
    return await readProject(call);
  } catch (error) {
    if (!isVarveError(error) || error.code !== "COMPOSE_NOT_FOUND" || name === undefined) throw error;
    return await projectOfLabels(call, name);
  }
}

async function projectOfLabels(call: ComposeCall, name: string): Promise<Project> {
  const { containers } = await call.openStore();
  const { labels, observe } = await import("../../compose/index.ts");
  const services = observe(await containers.list(), name).map(({ service, container }): Service => {
    const needs = (container.config.labels[labels.dependsOn] ?? "").split(",").filter((entry) => entry !== "");
    const depends_on = Object.fromEntries(
      needs.map((entry) => [entry.split(":")[0] ?? "", { condition: "service_started", required: false } as const]),
    );
    return { name: service, depends_on };
  });
  return {
    name,
    workingDir: call.io.cwd,
    composeFiles: [],
    envFiles: [],
    environment: {},
    profiles: [],
    services: Object.fromEntries(services.map((service) => [service.name, service])),
    disabledServices: {},
    networks: {},
    volumes: {},
    secrets: {},
    configs: {},
    models: {},
    extensions: {},
    warnings: [],
  };
}

/** Files of this machine, and standard input. */
export function fileAccess(io: Io): FileAccess {
  return {
    readFile: async (path) => {
      try {
        return await readFile(path, "utf8");
      } catch (cause) {
        if (isMissing(cause)) return undefined;
        throw new VarveError("FILE_UNREADABLE", `cannot read ${path}`, { cause });
      }
    },
    kindOf: async (path) => {
      try {
        return (await stat(path)).isDirectory() ? "folder" : "file";
      } catch (cause) {
        if (isMissing(cause)) return undefined;
        throw new VarveError("FILE_UNREADABLE", `cannot look at ${path}`, { cause });
      }
    },
    readStdin: async () => {
      const parts: Uint8Array[] = [];
      for await (const chunk of io.stdin.chunks()) parts.push(chunk);
      return Buffer.concat(parts).toString();
    },
    ...optional("home", nonEmpty(io.env["HOME"])),
  };
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}
