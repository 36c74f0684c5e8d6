import type { Service } from "../compose-file/index.ts";
import type { MountRequest } from "../containers/index.ts";
import { VarveError } from "../errors/index.ts";
import { containerHash } from "./config-hash.ts";
import { containerRequest, type RequestContext } from "./container-request.ts";
import { observeProject, type ProjectContext } from "./context.ts";
import { copyFiles } from "./copied-files.ts";
import { grantedFiles } from "./granted-files.ts";
import { containerLabels } from "./labels.ts";
import type { Observed } from "./observed.ts";

/** The hash that a container of this service made now has. */
export function hashOf({ project }: Pick<ProjectContext, "project">, service: Service): string {
  return containerHash(service, grantedFiles(project, service));
}

export interface MakeContainer {
  readonly number: number;
  readonly imageId: string;
  readonly carriedVolumes?: Readonly<Record<string, string>>;
  readonly oneOff?: NonNullable<RequestContext["oneOff"]> & { readonly slug: string };
}

/** Makes a container of a service, which does not run yet, with its secrets and configs. Returns its ID. */
export async function makeContainer(context: ProjectContext, service: Service, made: MakeContainer): Promise<string> {
  const { engine, project, signal } = context;
  const files = grantedFiles(project, service);
  const observed = await observeProject(context);
  const request = containerRequest(service, {
    project,
    number: made.number,
    labels: containerLabels(project, service, {
      number: made.number,
      configHash: containerHash(service, files),
      imageId: made.imageId,
      ...(made.oneOff === undefined ? {} : { slug: made.oneOff.slug }),
    }),
    containerOf: (name) => containerOf(observed, service, name).id,
    separator: context.separator ?? "-",
    ...(made.carriedVolumes === undefined ? {} : { carriedVolumes: made.carriedVolumes }),
    ...(made.oneOff === undefined ? {} : { oneOff: made.oneOff }),
  });
  const granted = files.flatMap((file): readonly MountRequest[] =>
    file.kind === "mount" ? [{ type: "bind", source: file.source, target: file.target, readonly: true }] : [],
  );
  const own = [...(request.host?.mounts ?? []), ...granted];
  const mounts = [...own, ...(await mountsFromOthers(context, service, observed, own))];
  const options = signal === undefined ? {} : { signal };
  const { id, warnings } = await engine.containers.create({ ...request, host: { ...request.host, mounts } }, options);
  for (const warning of warnings) context.warn(warning);
  try {
    await copyFiles(context, id, files);
  } catch (error) {
    await engine.containers.remove(id, { force: true });
    throw error;
  }
  return id;
}

function containerOf(observed: readonly Observed[], service: Service, name: string): Observed {
  const found = observed.find((candidate) => candidate.service === name && !candidate.isOneOff);
  if (found !== undefined) return found;
  throw new VarveError("SERVICE_INVALID", `service "${service.name}" uses a namespace of "${name}", which has no container`);
}

/** `volumes_from`: mounts of other containers at places that are still free. */
async function mountsFromOthers(
  { engine }: ProjectContext,
  service: Service,
  observed: readonly Observed[],
  own: readonly MountRequest[],
): Promise<readonly MountRequest[]> {
  const taken = new Set(own.map(({ target }) => target));
  const mounts: MountRequest[] = [];
  for (const from of service.volumes_from ?? []) {
    const isContainer = from.startsWith("container:");
    const [name = "", mode] = (isContainer ? from.slice("container:".length) : from).split(":");
    const source = isContainer ? await engine.containers.get(name) : containerOf(observed, service, name).container;
    for (const mount of source.mounts) {
      if (taken.has(mount.target)) continue;
      taken.add(mount.target);
      mounts.push(mode === "ro" ? { ...mount, readonly: true } : mount);
    }
  }
  return mounts;
}

/** The anonymous volumes of a container, by target: the one that takes its place keeps them. */
export function anonymousVolumes({ container }: Observed, service: Service): Readonly<Record<string, string>> {
  const named = new Set((service.volumes ?? []).flatMap(({ source, target }) => (source === undefined ? [] : [target])));
  return Object.fromEntries(
    container.mounts.flatMap(({ type, source, target }) =>
      type === "volume" && source !== undefined && /^[0-9a-f]{64}$/.test(source) && !named.has(target) ? [[target, source]] : [],
    ),
  );
}
