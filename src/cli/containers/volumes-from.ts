import type { ContainerRequest, Containers, MountRequest } from "../../containers/index.ts";
import { VarveError } from "../../errors/index.ts";

/**
 * `--volumes-from CONTAINER[:ro|rw]`: the request with the volumes and binds that other containers have, at their places; what the
 * request itself mounts there wins. (docs, "docker container run", volumes-from)
 */
export async function withVolumesFrom(
  request: ContainerRequest,
  { values, containers }: { readonly values: readonly string[]; readonly containers: Pick<Containers, "get"> },
): Promise<ContainerRequest> {
  if (values.length === 0) return request;
  const mounts: MountRequest[] = [...(request.host?.mounts ?? [])];
  for (const value of values) {
    const [, name = value, mode] = /^(.+?)(?::([^:]*))?$/.exec(value) ?? [];
    if (mode !== undefined && !["ro", "rw", "z", "Z"].includes(mode))
      throw new VarveError("USAGE", `invalid mode: ${mode}`, { details: { exitCode: 125 } });
    const { mounts: others } = await containers.get(name);
    for (const mount of others) {
      if (mount.type === "tmpfs" || mounts.some(({ target }) => target === mount.target)) continue;
      mounts.push({ ...mount, readonly: mount.readonly || mode === "ro" });
    }
  }
  return { ...request, host: { ...request.host, mounts } };
}
