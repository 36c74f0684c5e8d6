import type { Service } from "../compose-file/index.ts";
import { VarveError } from "../errors/index.ts";

/** Fields of a service that Varve cannot carry out; a file that uses one is refused, with the field's name. */
const refusedFields: readonly (keyof Service)[] = [
  "annotations",
  "blkio_config",
  "cpu_count",
  "cpu_percent",
  "cpu_rt_period",
  "cpu_rt_runtime",
  "credential_spec",
  "device_cgroup_rules",
  "external_links",
  "gpus",
  "mem_swappiness",
  "models",
  "pre_start",
  "provider",
  "pull_refresh_after",
  "runtime",
  "storage_opt",
  "use_api_socket",
];

/** Fields that some values of are refused. */
const refusedValues: readonly (readonly [field: keyof Service, isRefused: (service: Service) => boolean])[] = [
  ["cgroup", ({ cgroup }) => cgroup !== undefined && cgroup !== "private"],
  ["isolation", ({ isolation }) => isolation !== undefined && isolation !== "default"],
  ["userns_mode", ({ userns_mode: mode }) => mode !== undefined],
  ["uts", ({ uts }) => uts !== undefined && uts !== "host"],
  ["label_file", ({ label_file: files }) => files !== undefined],
  ["env_file", ({ env_file: files }) => files !== undefined],
];

/** What `deploy` says to a cluster, which one machine has nothing to do for. Docker Compose passes over it, too. */
const clusterFields = ["update_config", "rollback_config", "placement", "endpoint_mode", "labels"] as const;

/** Fails with SERVICE_UNSUPPORTED, naming every field of the service that cannot be carried out. */
export function refuseUnsupported(service: Service): void {
  const found = [
    ...refusedFields.filter((field) => service[field] !== undefined),
    ...refusedValues.filter(([, isRefused]) => isRefused(service)).map(([field]) => field),
    ...(service.networks === undefined ? [] : unsupportedOfNetworks(service.networks)),
    ...unsupportedOfMounts(service),
    ...(service.deploy?.resources?.reservations?.devices === undefined ? [] : ["deploy.resources.reservations.devices"]),
    ...(service.deploy?.mode === undefined || service.deploy.mode === "replicated"
      ? []
      : [`deploy.mode: ${service.deploy.mode}`]),
  ];
  const [first] = found;
  if (first === undefined) return;
  throw new VarveError(
    "SERVICE_UNSUPPORTED",
    `service "${service.name}" uses ${found.join(", ")}, which Varve does not support`,
    {
      details: { service: service.name, fields: found },
    },
  );
}

/** Fields that are taken and have no effect on one machine: who prints warnings names them. */
export function fieldsWithoutEffect(service: Service): readonly string[] {
  return clusterFields.filter((field) => service.deploy?.[field] !== undefined).map((field) => `deploy.${field}`);
}

const networkFields = ["driver_opts", "interface_name", "link_local_ips"] as const;

function unsupportedOfNetworks(networks: NonNullable<Service["networks"]>): readonly string[] {
  return Object.entries(networks).flatMap(([name, settings]) =>
    networkFields.filter((field) => settings?.[field] !== undefined).map((field) => `networks.${name}.${field}`),
  );
}

function unsupportedOfMounts({ volumes = [] }: Service): readonly string[] {
  return volumes.flatMap(({ type, bind, image }) => [
    ...(["bind", "volume", "tmpfs", "image"].includes(type) ? [] : [`volumes.type: ${type}`]),
    ...(image?.subpath === undefined ? [] : ["volumes.image.subpath"]),
    ...(bind?.recursive === undefined || bind.recursive === "enabled" || bind.recursive === "disabled"
      ? []
      : [`volumes.bind.recursive: ${bind.recursive}`]),
  ]);
}
