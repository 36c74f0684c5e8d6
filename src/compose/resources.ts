import { networkHash, volumeHash, type Network, type Project, type Service, type Volume } from "../compose-file/index.ts";
import { VarveError } from "../errors/index.ts";
import { observeProject, ofServices, reported, type ProjectContext } from "./context.ts";
import { labels, resourceLabels } from "./labels.ts";
import type { Observed } from "./observed.ts";
import { removeContainers, stopContainers } from "./remove-containers.ts";

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

/** How the networks and volumes that are there become those of the files. */
export interface ResourceOptions {
  /** Those that no service uses, too. */
  readonly all?: boolean;
  /** Volumes that are declared to be something else now are made anew, with all that is in them, without asking. */
  readonly yes?: boolean;
}

/**
 * Makes what is missing of the networks and volumes, and anew what the files declare to be something else than when it was made: for a
 * network its containers are stopped; for a volume, whose data goes, they are removed, if `yes` or the answer is so. Fails with
 * SERVICE_INVALID where an external one is not there.
 */
export async function makeResources(
  context: ProjectContext,
  services: readonly Service[],
  options: ResourceOptions = {},
): Promise<void> {
  const { networks, volumes } = usedResources(context.project, services, options);
  for (const [key, network] of networks) await makeNetwork(context, key, network);
  for (const [key, volume] of volumes) await makeVolume(context, key, volume, options);
}

/** The containers of services that use a network or a volume. */
async function usersOf(context: ProjectContext, uses: (service: Service) => boolean): Promise<readonly Observed[]> {
  const users = Object.values(context.project.services).filter(uses);
  if (users.length === 0) return [];
  return ofServices(
    await observeProject(context),
    users.map(({ name }) => name),
  );
}

async function makeNetwork(context: ProjectContext, key: string, network: Network): Promise<void> {
  const { engine, project } = context;
  const configHash = networkHash(network);
  const found = engine.networks.list().find(({ name }) => name === network.name);
  if (network.external === true) {
    if (found !== undefined) return;
    throw new VarveError("SERVICE_INVALID", `network ${network.name} declared as external, but could not be found`);
  }
  refuseNetworkFields(key, network);
  if (found !== undefined) {
    const owner = found.labels[labels.project];
    if (owner !== project.name)
      context.warn(
        `a network with name ${network.name} exists but was not created for project "${project.name}". Set \`external: true\` to use an existing network`,
      );
    if ((found.labels[labels.network] ?? "") !== key)
      throw new VarveError(
        "SERVICE_INVALID",
        `network ${network.name} was found but has incorrect label ${labels.network} set to "${found.labels[labels.network] ?? ""}" (expected: "${key}")`,
      );
    const made = found.labels[labels.configHash];
    if (made === undefined || made === configHash) return;
    await stopContainers(context, await usersOf(context, ({ networks: used }) => used !== undefined && key in used));
    await engine.networks.remove(found.id);
    context.report({ subject: `Network ${network.name}`, status: "Removed" });
  }
  const subnets = (network.ipam?.config ?? []).map((config) => ({
    ...(config.subnet === undefined ? {} : { subnet: config.subnet }),
    ...(config.gateway === undefined ? {} : { gateway: config.gateway }),
    ...(config.ip_range === undefined ? {} : { ipRange: config.ip_range }),
    ...(config.aux_addresses === undefined ? {} : { auxiliary: config.aux_addresses }),
  }));
  await reported(context, `Network ${network.name}`, ["Creating", "Created"], () =>
    engine.networks.create({
      name: network.name,
      labels: resourceLabels(project, "network", { key, configHash, own: network.labels }),
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

async function makeVolume(context: ProjectContext, key: string, volume: Volume, { yes = false }: ResourceOptions): Promise<void> {
  const { engine, project } = context;
  const configHash = volumeHash(volume);
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
    const made = found.labels[labels.configHash];
    if (made === undefined || made === configHash) return;
    const question = `Volume "${volume.name}" exists but doesn't match configuration in compose file. Recreate (data will be lost)?`;
    if (!yes && (await context.confirm?.(question)) !== true) return;
    await removeContainers(context, await usersOf(context, ({ volumes = [] }) => volumes.some(({ source }) => source === key)));
    await engine.volumes.remove(volume.name, { force: true });
  }
  await reported(context, `Volume ${volume.name}`, ["Creating", "Created"], () =>
    engine.volumes.create({
      name: volume.name,
      labels: resourceLabels(project, "volume", { key, configHash, own: volume.labels }),
      ...(volume.driver === undefined ? {} : { driver: volume.driver }),
      ...(volume.driver_opts === undefined ? {} : { options: volume.driver_opts }),
    }),
  );
}
