import { VarveError } from "../errors/index.ts";
import { parseDotenv } from "./dotenv.ts";
import type { FileAccess } from "./load-types.ts";
import { resolveFrom } from "./normalise.ts";
import type { Environment, Project, ProjectWarning, Service, StringMap } from "./types.ts";

interface Context {
  readonly access: FileAccess;
  readonly environment: StringMap;
  readonly warn: (warning: ProjectWarning) => void;
}

/**
 * A service with what its `env_file` and `label_file` say as part of `environment` and `labels`, which win (Compose
 * Specification, services, "env_file"). Fails with COMPOSE_ENV_FILE where a required file is missing.
 */
export async function readServiceFiles(
  service: Service,
  context: Context,
  parts: { readonly environment: boolean },
): Promise<Service> {
  const labelled = await readLabelFiles(service, context);
  return parts.environment ? await readEnvFiles(labelled, context) : labelled;
}

async function readEnvFiles(service: Service, { access, environment, warn }: Context): Promise<Service> {
  const { env_file: files, ...rest } = service;
  const own: Environment = resolveFrom(service.environment ?? {}, environment);
  let values: Record<string, string | null> = {};
  for (const file of files ?? []) {
    const text = await access.readFile(file.path);
    if (text === undefined) {
      if (file.required === false) continue;
      throw missing("env", file.path, service.name);
    }
    const before = values;
    const lookup = (name: string): string | undefined => environment[name] ?? own[name] ?? before[name] ?? undefined;
    values = { ...values, ...parseDotenv(text, { name: file.path, lookup, format: file.format, onUnset: unset(warn) }) };
  }
  values = { ...values, ...own };
  return Object.keys(values).length === 0 ? withoutEnvironment(rest) : { ...rest, environment: values };
}

function withoutEnvironment(service: Omit<Service, "env_file">): Service {
  const { environment: _, ...rest } = service;
  return rest as Service;
}

async function readLabelFiles(service: Service, { access, environment, warn }: Context): Promise<Service> {
  const { label_file: files, ...rest } = service;
  if (files === undefined) return service;
  let labels: Record<string, string> = {};
  for (const path of files) {
    const text = await access.readFile(path);
    if (text === undefined) throw missing("label", path, service.name);
    const before = labels;
    const lookup = (name: string): string | undefined => environment[name] ?? before[name];
    labels = { ...labels, ...parseDotenv(text, { name: path, lookup, onUnset: unset(warn) }) };
  }
  return { ...(rest as Service), labels: { ...labels, ...service.labels } };
}

const unset =
  (warn: Context["warn"]) =>
  (name: string): void =>
    warn({ message: `The "${name}" variable is not set. Defaulting to a blank string.` });

function missing(kind: string, path: string, service: Project["name"]): VarveError {
  return new VarveError("COMPOSE_ENV_FILE", `${kind} file ${path} not found`, {
    hint:
      kind === "env"
        ? `services.${service}.env_file names it; required: false lets it be missing`
        : `services.${service}.label_file names it`,
  });
}
