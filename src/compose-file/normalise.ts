import { cleanTarget } from "./mounts.ts";
import type { BuildSection } from "./build-types.ts";
import type { Dependency, Environment, FileObject, Model, Network, Service, StringMap, Volume } from "./types.ts";

/** What the sections of a project hold, before it is a project. */
export interface Sections {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, Network>>;
  readonly volumes: Readonly<Record<string, Volume>>;
  readonly secrets: Readonly<Record<string, FileObject>>;
  readonly configs: Readonly<Record<string, FileObject>>;
  readonly models: Readonly<Record<string, Model>>;
}

/**
 * Adds what the Specification says without being asked: the default network, the names of resources, the Dockerfile, the
 * dependencies that links, volumes and shared namespaces bring along, and values that come from the environment.
 */
export function normalise(sections: Sections, projectName: string, environment: StringMap): Sections {
  const services = mapRecord(sections.services, (service) => normaliseService(service, environment));
  const usesDefault = Object.values(services).some(
    (service) => service.networks !== undefined && Object.hasOwn(service.networks, "default"),
  );
  const networks = usesDefault ? { default: {} as Network, ...sections.networks } : sections.networks;
  const named = <T extends { readonly name?: string; readonly external?: boolean }>(
    resources: Readonly<Record<string, T>>,
  ): Readonly<Record<string, T>> =>
    mapRecord(resources, (resource, key) => ({
      ...resource,
      name: resource.name ?? (resource.external === true ? key : `${projectName}_${key}`),
    }));
  return {
    services,
    networks: named(networks),
    volumes: named(sections.volumes),
    secrets: named(sections.secrets),
    configs: named(sections.configs),
    models: sections.models,
  };
}

function normaliseService(service: Service, environment: StringMap): Service {
  const changed: { -readonly [K in keyof Service]: Service[K] } = { ...service };
  if (service.pull_policy === "if_not_present") changed.pull_policy = "missing";
  if (service.build !== undefined) changed.build = normaliseBuild(service.build, environment);
  if (service.environment !== undefined) changed.environment = resolveFrom(service.environment, environment);
  if (service.provider === undefined && service.network_mode === undefined && Object.keys(service.networks ?? {}).length === 0) {
    changed.networks = { default: null };
  }
  const dependencies = { ...impliedDependencies(service), ...service.depends_on };
  if (Object.keys(dependencies).length > 0) changed.depends_on = dependencies;
  if (service.volumes !== undefined) {
    changed.volumes = service.volumes.map((mount) => ({ ...mount, target: cleanTarget(mount.target) }));
  }
  if (service.pre_start !== undefined && service.image !== undefined) {
    const { image } = service;
    changed.pre_start = service.pre_start.map((hook) => ({ ...hook, image: hook.image ?? image }));
  }
  return changed;
}

function normaliseBuild(build: BuildSection, environment: StringMap): BuildSection {
  const { args } = build;
  const resolved = args === undefined ? [] : Object.entries(resolveFrom(args, environment)).filter(([, value]) => value !== null);
  return {
    ...build,
    ...(build.dockerfile === undefined && build.dockerfile_inline === undefined ? { dockerfile: "Dockerfile" } : {}),
    ...(args === undefined ? {} : { args: Object.fromEntries(resolved) }),
  };
}

/** Values that were left out, from the environment where it has them. */
export function resolveFrom(values: Environment, environment: StringMap): Environment {
  return mapRecord(values, (value, key) => value ?? (Object.hasOwn(environment, key) ? (environment[key] ?? null) : null));
}

function impliedDependencies(service: Service): Readonly<Record<string, Dependency>> {
  const implied: Record<string, Dependency> = {};
  const add = (name: string, restart: boolean): void => {
    implied[name] ??= { condition: "service_started", ...(restart ? { restart } : {}), required: true };
  };
  for (const link of service.links ?? []) add(link.split(":", 1)[0] ?? link, true);
  for (const namespace of [service.network_mode, service.ipc, service.pid, service.uts, service.cgroup]) {
    if (namespace?.startsWith("service:") === true) add(namespace.slice("service:".length), true);
  }
  for (const from of service.volumes_from ?? []) if (!from.startsWith("container:")) add(from.split(":", 1)[0] ?? from, false);
  return implied;
}

function mapRecord<T, U>(record: Readonly<Record<string, T>>, change: (value: T, key: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}
