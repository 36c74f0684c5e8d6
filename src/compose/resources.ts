import type { Network, Project, Service, Volume } from "../compose-file/index.ts";
import { VarveError } from "../errors/index.ts";
import { reported, type ProjectContext } from "./context.ts";
import { labels, resourceLabels } from "./labels.ts";

/** The networks and volumes that services use, by key; with `all` every one that the files declare. */
export function usedResources(
  project: Project,
  services: readonly Service[],
  { all = false }: { readonly all?: boolean } = {},
): { readonly networks: readonly (readonly [string, Network])[]; readonly volumes: readonly (readonly [string, Volume])[] } {
  const networks = new Set(
    services.flatMap(({ networks: used, network_mode: mode }) =>
      mode === undefined ? Object.keys(used ?? { default: null }) : [],
    ),
  );
  const volumes = new Set(
    services.flatMap(({ volumes: mounts = [] }) =>
      mounts.flatMap(({ type, source }) => (type === "volume" && source !== undefined ? [source] : [])),
    ),
  );
  return {
    networks: Object.entries(project.networks).filter(([key]) => all || networks.has(key)),
    volumes: Object.entries(project.volumes).filter(([key]) => all || volumes.has(key)),
  };
}

/** Makes what is missing of the networks and volumes. Fails with SERVICE_INVALID where an external one is not there. */
export async function makeResources(
  context: ProjectContext,
  services: readonly Service[],
  options: { readonly all?: boolean } = {},
): Promise<void> {
  const { networks, volumes } = usedResources(context.project, services, options);
  for (const [key, network] of networks) await makeNetwork(context, key, network);
  for (const [key, volume] of volumes) await makeVolume(context, key, volume);
}

async function makeNetwork(context: ProjectContext, key: string, network: Network): Promise<void> {
  const { engine, project } = context;
  const found = engine.networks.list().find(({ name }) => name === network.name);
  if (network.external === true) {
    if (found !== undefined) return;
    throw new VarveError("SERVICE_INVALID", `network ${network.name} declared as external, but could not be found`);
  }
  if (found !== undefined) {
    const owner = found.labels[labels.project];
    if (owner !== project.name)
      context.warn(
        `a network with name ${network.name} exists but was not created for project "${project.name}". Set \`external: true\` to use an existing network`,
      );
    return;
  }
  const subnets = (network.ipam?.config ?? []).map((config) => ({
    ...(config.subnet === undefined ? {} : { subnet: config.subnet }),
    ...(config.gateway === undefined ? {} : { gateway: config.gateway }),
    ...(config.ip_range === undefined ? {} : { ipRange: config.ip_range }),
    ...(config.aux_addresses === undefined ? {} : { auxiliary: config.aux_addresses }),
  }));
  refuseNetworkFields(key, network);
  await reported(context, `Network ${network.name}`, ["Creating", "Created"], () =>
    engine.networks.create({
      name: network.name,
      labels: resourceLabels(project, "network", key, network.labels),
      ...(network.driver === undefined ? {} : { driver: network.driver }),
      ...(network.driver_opts === undefined ? {} : { options: network.driver_opts }),
      ...(network.internal === true ? { internal: true } : {}),
      ...(network.attachable === true ? { attachable: true } : {}),
      ...(network.enable_ipv6 === true ? { enableIpv6: true } : {}),
      ...(subnets.length === 0 ? {} : { subnets }),
    }),
  );
}

function refuseNetworkFields(key: string, network: Network): void {
  const field = [
    network.enable_ipv4 === false ? "enable_ipv4: false" : undefined,
    network.ipam?.driver !== undefined && network.ipam.driver !== "default" ? "ipam.driver" : undefined,
    network.ipam?.options === undefined ? undefined : "ipam.options",
  ].find((name) => name !== undefined);
  if (field !== undefined)
    throw new VarveError("SERVICE_UNSUPPORTED", `network "${key}" uses ${field}, which Varve does not support`);
}

async function makeVolume(context: ProjectContext, key: string, volume: Volume): Promise<void> {
  const { engine, project } = context;
  const found = engine.volumes.list().find(({ name }) => name === volume.name);
  if (volume.external === true) {
    if (found !== undefined) return;
    throw new VarveError("SERVICE_INVALID", `external volume "${volume.name}" not found`);
  }
  if (found !== undefined) {
    if (found.labels[labels.project] !== project.name)
      context.warn(
        `volume "${volume.name}" already exists but was not created by Docker Compose. Use \`external: true\` to use an existing volume`,
      );
    return;
  }
  await reported(context, `Volume ${volume.name}`, ["Creating", "Created"], () =>
    engine.volumes.create({
      name: volume.name,
      labels: resourceLabels(project, "volume", key, volume.labels),
      ...(volume.driver === undefined ? {} : { driver: volume.driver }),
      ...(volume.driver_opts === undefined ? {} : { options: volume.driver_opts }),
    }),
  );
}
