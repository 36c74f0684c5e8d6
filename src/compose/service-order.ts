import type { Project, Service } from "../compose-file/index.ts";
import { VarveError } from "../errors/index.ts";

type Services = Project["services"];

/**
 * The services that are meant, with all that they depend on unless `alone`; by name. No names: all of them. Fails with
 * SERVICE_NOT_FOUND.
 */
export function selectServices(
  services: Services,
  names: readonly string[],
  { alone = false }: { readonly alone?: boolean } = {},
): readonly Service[] {
  const chosen = new Map<string, Service>();
  const take = (name: string, isRequired: boolean): void => {
    if (chosen.has(name)) return;
    const service = services[name];
    if (service === undefined) {
      if (isRequired) throw new VarveError("SERVICE_NOT_FOUND", `no such service: ${name}`);
      return;
    }
    chosen.set(name, service);
    if (!alone) for (const [dependency, { required }] of Object.entries(service.depends_on ?? {})) take(dependency, required);
  };
  for (const name of names.length === 0 ? Object.keys(services) : names) take(name, true);
  return [...chosen.values()].toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

/** Dependencies first; among those that do not depend on each other by name. Fails with SERVICE_INVALID where they form a ring. */
export function orderServices(services: readonly Service[]): readonly Service[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  const done = new Set<string>();
  const ordered: Service[] = [];
  const visit = (service: Service, path: readonly string[]): void => {
    if (done.has(service.name)) return;
    if (path.includes(service.name))
      throw new VarveError("SERVICE_INVALID", `dependency cycle detected: ${[...path, service.name].join(" -> ")}`);
    for (const name of dependenciesOf(service)) {
      const dependency = byName.get(name);
      if (dependency !== undefined) visit(dependency, [...path, service.name]);
    }
    done.add(service.name);
    ordered.push(service);
  };
  for (const service of services.toSorted((left, right) => (left.name < right.name ? -1 : 1))) visit(service, []);
  return ordered;
}

export function dependenciesOf({ depends_on: dependencies = {} }: Service): readonly string[] {
  return Object.keys(dependencies).toSorted();
}

/**
 * Does `work` for each service: after that of its dependencies (or of those that depend on it, with `reverse`), at the same time
 * otherwise. After a failure nothing more is begun, and the first failure is thrown when all that was begun has ended.
 */
export async function alongDependencies(
  services: readonly Service[],
  work: (service: Service) => Promise<void>,
  { reverse = false }: { readonly reverse?: boolean } = {},
): Promise<void> {
  const ordered = orderServices(services);
  const promises = new Map<string, Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  for (const service of reverse ? ordered.toReversed() : ordered) {
    const before = reverse
      ? ordered.filter((other) => dependenciesOf(other).includes(service.name)).map(({ name }) => name)
      : dependenciesOf(service);
    const run = async (): Promise<void> => {
      await Promise.all(before.flatMap((name) => promises.get(name) ?? []));
      if (failure !== undefined) return;
      try {
        await work(service);
      } catch (error) {
        failure ??= { error };
      }
    };
    promises.set(service.name, run());
  }
  await Promise.all(promises.values());
  if (failure !== undefined) throw failure.error;
}
