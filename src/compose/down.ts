import { isVarveError } from "../errors/index.ts";
import type { Service } from "../compose-file/index.ts";
import { allServices, observeProject, ofServices, reported, type ProjectContext } from "./context.ts";
import { findImage } from "./images.ts";
import { labels } from "./labels.ts";
import { imageName } from "./names.ts";
import { removeContainers } from "./remove-containers.ts";
import { alongDependencies } from "./service-order.ts";

export interface DownOptions {
  /** Names of services: their containers alone. None: everything. */
  readonly services?: readonly string[];
  readonly volumes?: boolean;
  /** `local`: those that the files give no name. */
  readonly images?: "local" | "all";
  readonly removeOrphans?: boolean;
  readonly timeoutS?: number;
}

/** `down`: stops and removes containers, those that depend on others first, and then networks, volumes and images. */
export async function down(context: ProjectContext, options: DownOptions = {}): Promise<void> {
  const { project } = context;
  const only = options.services ?? [];
  const observed = await observeProject(context);
  const known = allServices(project);
  const services = only.length === 0 ? Object.values(known) : only.flatMap((name) => known[name] ?? []);
  const removal = { ...pick(options), volumes: options.volumes === true };
  const isOrphan = ({ service }: { readonly service: string }): boolean => known[service] === undefined;
  const hadSomething = observed.length > 0;
  await removeContainers(
    context,
    observed.filter((candidate) => candidate.isOneOff && !isOrphan(candidate) && isMeant(candidate.service, only)),
    removal,
  );
  if (options.removeOrphans === true) await removeContainers(context, observed.filter(isOrphan), removal);
  await alongDependencies(services, (service) => removeContainers(context, ofServices(observed, [service.name]), removal), {
    reverse: true,
  });
  const work: Promise<boolean>[] = [];
  if (only.length === 0) work.push(removeNetworks(context));
  if (options.volumes === true) work.push(removeVolumes(context, services, only));
  if (options.images !== undefined) work.push(removeImages(context, services, options.images));
  let didSomething = hadSomething;
  for (const result of await Promise.allSettled(work)) {
    if (result.status === "rejected") throw result.reason;
    didSomething ||= result.value;
  }
  if (!didSomething) context.warn(`No resource found to remove for project "${project.name}".`);
}

function isMeant(service: string, only: readonly string[]): boolean {
  return only.length === 0 || only.includes(service);
}

function pick({ timeoutS }: DownOptions): { readonly timeoutS?: number } {
  return timeoutS === undefined ? {} : { timeoutS };
}

/** Those that carry the project's label; the ones that the files call external were never given it. */
async function removeNetworks(context: ProjectContext): Promise<boolean> {
  const { engine, project } = context;
  const own = engine.networks.list().filter((network) => network.labels[labels.project] === project.name);
  for (const { id, name } of own) {
    const subject = `Network ${name}`;
    context.report({ subject, status: "Removing", isUnderWay: true });
    try {
      await engine.networks.remove(id);
      context.report({ subject, status: "Removed" });
    } catch (error) {
      if (!isVarveError(error) || error.code !== "NETWORK_IN_USE") throw error;
      context.report({ subject, status: "Resource is still in use", isWarning: true });
    }
  }
  return own.length > 0;
}

async function removeVolumes(context: ProjectContext, services: readonly Service[], only: readonly string[]): Promise<boolean> {
  const { engine, project } = context;
  const keys = new Set(services.flatMap(({ volumes = [] }) => volumes.flatMap(({ source }) => source ?? [])));
  const own = engine.volumes
    .list()
    .filter((volume) => volume.labels[labels.project] === project.name)
    .filter((volume) => only.length === 0 || keys.has(volume.labels[labels.volume] ?? ""));
  for (const { name } of own) {
    const subject = `Volume ${name}`;
    context.report({ subject, status: "Removing", isUnderWay: true });
    try {
      await engine.volumes.remove(name);
      context.report({ subject, status: "Removed" });
    } catch (error) {
      if (!isVarveError(error) || error.code !== "VOLUME_IN_USE") throw error;
      context.report({ subject, status: "Resource is still in use", isWarning: true });
    }
  }
  return own.length > 0;
}

async function removeImages(context: ProjectContext, services: readonly Service[], which: "local" | "all"): Promise<boolean> {
  const { engine, project } = context;
  const meant = services.filter(({ image }) => which === "all" || image === undefined);
  const names = new Set<string>();
  for (const service of meant) if ((await findImage(context, service)) !== undefined) names.add(imageName(project, service));
  for (const name of names) {
    try {
      await reported(context, `Image ${withTag(name)}`, ["Removing", "Removed"], () => engine.images.remove(name));
    } catch (error) {
      if (!isVarveError(error) || error.kind !== "conflict") throw error;
      context.report({ subject: `Image ${withTag(name)}`, status: "Resource is still in use", isWarning: true });
    }
  }
  return names.size > 0;
}

function withTag(name: string): string {
  return /(?::[^/]+|@.+)$/.test(name) ? name : `${name}:latest`;
}
