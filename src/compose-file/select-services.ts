import { didYouMean, VarveError } from "../errors/index.ts";
import type { Project, Service } from "./types.ts";

/** How many containers a service has: `scale`, else `deploy.replicas`, else one. */
export function scaleOf(service: Service): number {
  return service.scale ?? service.deploy?.replicas ?? 1;
}

/** Whether a service belongs to none of the profiles, or to an active one; `*` is all. */
export function hasProfile(service: Pick<Service, "profiles">, active: readonly string[]): boolean {
  const own = service.profiles ?? [];
  return own.length === 0 || active.includes("*") || own.some((profile) => active.includes(profile));
}

/**
 * The project with only the named services and what they depend on, also those that other services' profiles switched off
 * but a named one switches on. No names: all. Fails with COMPOSE_SERVICE_UNKNOWN.
 */
export function selectServices(
  project: Project,
  names: readonly string[],
  options: { readonly dependencies?: boolean } = {},
): Project {
  if (names.length === 0) return project;
  const all = { ...project.services, ...project.disabledServices };
  const profiles = [...project.profiles, ...names.flatMap((name) => project.disabledServices[name]?.profiles ?? [])];
  const enabled = Object.fromEntries(Object.entries(all).filter(([, service]) => hasProfile(service, profiles)));
  const selected = new Map<string, Service>();
  const add = (name: string, isRequired: boolean): void => {
    if (selected.has(name)) return;
    const service = enabled[name];
    if (service === undefined) {
      if (!isRequired) return;
      throw new VarveError("COMPOSE_SERVICE_UNKNOWN", `no such service: ${name}${didYouMean(name, Object.keys(all))}`);
    }
    selected.set(name, service);
    if (options.dependencies === false) return;
    for (const [other, { required }] of Object.entries(service.depends_on ?? {})) add(other, required);
  };
  for (const name of names) add(name, true);
  const isSelected = ([name]: readonly [string, Service]): boolean => selected.has(name);
  const sorted = Object.entries(all).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return {
    ...project,
    profiles,
    services: Object.fromEntries(sorted.filter(isSelected)),
    disabledServices: Object.fromEntries(sorted.filter((entry) => !isSelected(entry))),
  };
}

/** The project without the networks, volumes, secrets, configs and models that none of its services uses. */
export function withoutUnused(project: Project): Project {
  const services = Object.values(project.services);
  const used = {
    networks: services.flatMap((service) => Object.keys(service.networks ?? {})),
    volumes: services.flatMap((service) =>
      (service.volumes ?? []).flatMap(({ type, source }) => (type === "volume" && source !== undefined ? [source] : [])),
    ),
    secrets: services.flatMap((service) =>
      [...(service.secrets ?? []), ...(service.build?.secrets ?? [])].map(({ source }) => source),
    ),
    configs: services.flatMap((service) => (service.configs ?? []).map(({ source }) => source)),
    models: services.flatMap((service) => Object.keys(service.models ?? {})),
  };
  const keep = <T>(resources: Readonly<Record<string, T>>, names: readonly string[]): Readonly<Record<string, T>> =>
    Object.fromEntries(Object.entries(resources).filter(([key]) => names.includes(key)));
  return {
    ...project,
    networks: keep(project.networks, used.networks),
    volumes: keep(project.volumes, used.volumes),
    secrets: keep(project.secrets, used.secrets),
    configs: keep(project.configs, used.configs),
    models: keep(project.models, used.models),
  };
}
