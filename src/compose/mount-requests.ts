import type { Mount, Project, Service } from "../compose-file/index.ts";
import type { MountRequest } from "../containers/index.ts";
import { VarveError } from "../errors/index.ts";

type Propagation = NonNullable<MountRequest["propagation"]>;
const propagations: readonly string[] = ["private", "rprivate", "shared", "rshared", "slave", "rslave"] satisfies Propagation[];

/**
 * `volumes`, `tmpfs`, and the files of secrets and configs that are mounted from where they lie. `carried` names the anonymous
 * volumes of the container before, by target. Fails with SERVICE_UNSUPPORTED and SERVICE_INVALID.
 */
export function mountRequests(
  service: Service,
  project: Project,
  carried: Readonly<Record<string, string>>,
): readonly MountRequest[] {
  const own = (service.volumes ?? []).map((mount) => mountRequest(mount, { service, project, carried }));
  const tmpfs = (service.tmpfs ?? []).map((text): MountRequest => {
    const [target, options] = cut(text);
    return { type: "tmpfs", target, readonly: false, ...(options === undefined ? {} : { tmpfsOptions: options.split(",") }) };
  });
  const targets = new Set([...own, ...tmpfs].map(({ target }) => target));
  const left = Object.entries(carried)
    .filter(([target]) => !targets.has(target))
    .map(([target, source]): MountRequest => ({ type: "volume", source, target, readonly: false }));
  return [...own, ...tmpfs, ...left];
}

function mountRequest(
  mount: Mount,
  { service, project, carried }: { service: Service; project: Project; carried: Readonly<Record<string, string>> },
): MountRequest {
  const { target, source, bind, volume, tmpfs } = mount;
  const base = { target, readonly: mount.read_only === true };
  if (mount.type === "tmpfs")
    return {
      ...base,
      type: "tmpfs",
      ...(tmpfs?.size === undefined ? {} : { tmpfsBytes: tmpfs.size }),
      ...(tmpfs?.mode === undefined ? {} : { tmpfsMode: tmpfs.mode }),
    };
  if (mount.type === "bind") {
    if (source === undefined) throw new VarveError("SERVICE_INVALID", `a bind mount of service "${service.name}" has no source`);
    if (bind?.propagation !== undefined && !propagations.includes(bind.propagation))
      throw new VarveError("SERVICE_INVALID", `invalid propagation "${bind.propagation}" of service "${service.name}"`);
    return {
      ...base,
      type: "bind",
      source,
      createSource: bind?.create_host_path ?? false,
      ...(bind?.propagation === undefined ? {} : { propagation: bind.propagation as Propagation }),
      ...(bind?.recursive === "disabled" ? { nonRecursive: true } : {}),
    };
  }
  if (mount.type === "image") {
    if (source === undefined)
      throw new VarveError("SERVICE_INVALID", `an image mount of service "${service.name}" has no source`);
    return { type: "image", source, target, readonly: true, createSource: true };
  }
  if (mount.type !== "volume")
    throw new VarveError("SERVICE_UNSUPPORTED", `service "${service.name}" mounts a ${mount.type}, which Varve does not support`);
  const name = source === undefined ? carried[target] : (project.volumes[source]?.name ?? source);
  return {
    ...base,
    type: "volume",
    ...(name === undefined ? {} : { source: name }),
    ...(volume?.nocopy === true ? { noCopy: true } : {}),
    ...(volume?.subpath === undefined ? {} : { subpath: volume.subpath }),
    ...(volume?.labels === undefined ? {} : { volumeLabels: volume.labels }),
  };
}

function cut(text: string): readonly [string, string | undefined] {
  const at = text.indexOf(":");
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
