/*
 * The fields of the model: what each holds, and in which order Docker Compose prints them. Reading a tree into the model,
 * and writing the model as YAML, JSON or for the hash, are all led by these tables.
 */

/** What a field holds. Zeros (false, 0, "", an empty list or map) are left out unless the kind or the field keeps them. */
export type Kind =
  | { readonly is: "text" | "flag" | "integer" | "float" | "bytes" | "duration" | "mode" | "deviceCount" | "anything" }
  | { readonly is: "command" | "healthTest" | "hosts" | "ssh" }
  | { readonly is: "pairs" | "environment" }
  | { readonly is: "list" | "map"; readonly of: Kind; readonly nullable?: boolean }
  | { readonly is: "struct" | "envFile"; readonly shape: Shape }
  | { readonly is: "ulimit" };

export interface Field {
  readonly key: string;
  readonly kind: Kind;
  /** A zero that was set says something else than nothing. */
  readonly keepsZero?: boolean;
  /** JSON, and so the hash, has it also where it is not set: with this value. */
  readonly json?: null | Readonly<Record<string, never>>;
  /** The model keeps a zero which is not printed. */
  readonly hidesZero?: boolean;
  /** The field's name in JSON, where it is another. */
  readonly jsonKey?: string;
}

export interface Shape {
  readonly fields: readonly Field[];
}

const text: Kind = { is: "text" };
const flag: Kind = { is: "flag" };
const integer: Kind = { is: "integer" };
const float: Kind = { is: "float" };
const bytes: Kind = { is: "bytes" };
const duration: Kind = { is: "duration" };
const command: Kind = { is: "command" };
const pairs: Kind = { is: "pairs" };
const environment: Kind = { is: "environment" };
const hosts: Kind = { is: "hosts" };
const texts: Kind = { is: "list", of: text };

const listOf = (of: Kind): Kind => ({ is: "list", of });
const mapOf = (of: Kind): Kind => ({ is: "map", of });
const mapOfMaybe = (of: Kind): Kind => ({ is: "map", of, nullable: true });
const struct = (fields: Readonly<Record<string, Kind | Omit<Field, "key">>>): Kind & { readonly is: "struct" } => ({
  is: "struct",
  shape: { fields: Object.entries(fields).map(([key, field]) => ("is" in field ? { key, kind: field } : { key, ...field })) },
});
const kept = (kind: Kind, jsonKey?: string): Omit<Field, "key"> => ({
  kind,
  keepsZero: true,
  ...(jsonKey === undefined ? {} : { jsonKey }),
});
const always = (kind: Kind, json: null | Readonly<Record<string, never>>): Omit<Field, "key"> => ({ kind, json });

const ulimits = mapOf({ is: "ulimit" });

const fileGrant = struct({ source: text, target: text, uid: text, gid: text, mode: kept({ is: "mode" }) });

const hook = struct({
  command: always(command, null),
  image: text,
  user: text,
  privileged: flag,
  working_dir: text,
  environment,
  per_replica: flag,
});

const build = struct({
  context: text,
  dockerfile: text,
  dockerfile_inline: text,
  entitlements: texts,
  args: environment,
  provenance: text,
  sbom: text,
  ssh: { is: "ssh" },
  labels: pairs,
  cache_from: texts,
  cache_to: texts,
  no_cache: flag,
  no_cache_filter: texts,
  additional_contexts: pairs,
  pull: flag,
  extra_hosts: hosts,
  isolation: text,
  network: text,
  target: text,
  secrets: listOf(fileGrant),
  shm_size: bytes,
  tags: texts,
  ulimits,
  platforms: texts,
  privileged: flag,
});

const deviceRequest = struct({
  capabilities: texts,
  driver: text,
  count: { is: "deviceCount" },
  device_ids: texts,
  options: pairs,
});

const throttle = (rate: Kind): Kind => listOf(struct({ path: kept(text, "Path"), rate: kept(rate, "Rate") }));

const updatePolicy = struct({
  parallelism: kept(integer),
  delay: duration,
  failure_action: text,
  monitor: duration,
  max_failure_ratio: float,
  order: text,
});

const resources = struct({
  cpus: float,
  memory: bytes,
  pids: integer,
  devices: listOf(deviceRequest),
  generic_resources: listOf(struct({ discrete_resource_spec: struct({ kind: kept(text), value: kept(integer) }) })),
});

const deploy = struct({
  mode: text,
  replicas: kept(integer),
  labels: pairs,
  update_config: updatePolicy,
  rollback_config: updatePolicy,
  resources: always(struct({ limits: resources, reservations: resources }), {}),
  restart_policy: struct({
    condition: text,
    delay: kept(duration),
    max_attempts: kept(integer),
    window: kept(duration),
  }),
  placement: always(
    struct({ constraints: texts, preferences: listOf(struct({ spread: text })), max_replicas_per_node: integer }),
    {},
  ),
  endpoint_mode: text,
});

const mount = struct({
  type: text,
  source: text,
  target: text,
  read_only: flag,
  consistency: text,
  bind: struct({
    selinux: text,
    propagation: text,
    create_host_path: { kind: flag, keepsZero: true, hidesZero: true },
    recursive: text,
  }),
  volume: struct({ labels: pairs, nocopy: flag, subpath: text }),
  tmpfs: struct({ size: bytes, mode: integer }),
  image: struct({ subpath: text }),
});

const service = struct({
  profiles: texts,
  annotations: pairs,
  attach: kept(flag),
  build,
  develop: struct({
    watch: listOf(
      struct({
        path: kept(text),
        action: kept(text),
        target: text,
        exec: always(hook, {}),
        include: texts,
        ignore: texts,
        initial_sync: flag,
      }),
    ),
  }),
  blkio_config: struct({
    weight: integer,
    weight_device: listOf(struct({ path: kept(text, "Path"), weight: kept(integer, "Weight") })),
    device_read_bps: throttle(bytes),
    device_read_iops: throttle(bytes),
    device_write_bps: throttle(bytes),
    device_write_iops: throttle(bytes),
  }),
  cap_add: texts,
  cap_drop: texts,
  cgroup_parent: text,
  cgroup: text,
  cpu_count: integer,
  cpu_percent: float,
  cpu_period: integer,
  cpu_quota: integer,
  cpu_rt_period: integer,
  cpu_rt_runtime: integer,
  cpus: float,
  cpuset: text,
  cpu_shares: integer,
  command: always(command, null),
  configs: listOf(fileGrant),
  container_name: text,
  credential_spec: struct({ config: text, file: text, registry: text }),
  depends_on: mapOf(struct({ condition: text, restart: flag, required: kept(flag) })),
  deploy,
  device_cgroup_rules: texts,
  devices: listOf(struct({ source: text, target: text, permissions: text })),
  dns: texts,
  dns_opt: texts,
  dns_search: texts,
  domainname: text,
  entrypoint: always(command, null),
  provider: struct({ type: text, options: mapOf(texts) }),
  environment,
  env_file: listOf({ is: "envFile", shape: struct({ path: text, required: kept(flag), format: text }).shape }),
  expose: texts,
  external_links: texts,
  extra_hosts: hosts,
  group_add: texts,
  gpus: listOf(deviceRequest),
  hostname: text,
  healthcheck: struct({
    test: { is: "healthTest" },
    timeout: kept(duration),
    interval: kept(duration),
    retries: kept(integer),
    start_period: kept(duration),
    start_interval: kept(duration),
    disable: flag,
  }),
  image: text,
  init: kept(flag),
  ipc: text,
  isolation: text,
  labels: pairs,
  label_file: texts,
  links: texts,
  logging: struct({ driver: text, options: pairs }),
  mem_limit: bytes,
  mem_reservation: bytes,
  memswap_limit: bytes,
  mem_swappiness: bytes,
  mac_address: text,
  models: mapOfMaybe(struct({ endpoint_var: text, model_var: text })),
  network_mode: text,
  networks: mapOfMaybe(
    struct({
      aliases: texts,
      driver_opts: pairs,
      gw_priority: integer,
      interface_name: text,
      ipv4_address: text,
      ipv6_address: text,
      link_local_ips: texts,
      mac_address: text,
      priority: integer,
    }),
  ),
  oom_kill_disable: flag,
  oom_score_adj: integer,
  pid: text,
  pids_limit: integer,
  platform: text,
  ports: listOf(
    struct({ name: text, mode: text, host_ip: text, target: integer, published: text, protocol: text, app_protocol: text }),
  ),
  privileged: flag,
  pull_policy: text,
  pull_refresh_after: text,
  read_only: flag,
  restart: text,
  runtime: text,
  scale: kept(integer),
  secrets: listOf(fileGrant),
  security_opt: texts,
  shm_size: bytes,
  stdin_open: flag,
  stop_grace_period: kept(duration),
  stop_signal: text,
  storage_opt: pairs,
  sysctls: pairs,
  tmpfs: texts,
  tty: flag,
  ulimits,
  use_api_socket: flag,
  user: text,
  userns_mode: text,
  uts: text,
  volumes: listOf(mount),
  volumes_from: texts,
  working_dir: text,
  pre_start: listOf(hook),
  post_start: listOf(hook),
  pre_stop: listOf(hook),
});

const network = struct({
  name: text,
  driver: text,
  driver_opts: pairs,
  ipam: always(
    struct({
      driver: text,
      config: listOf(struct({ subnet: text, gateway: text, ip_range: text, aux_addresses: pairs })),
      options: pairs,
    }),
    {},
  ),
  external: flag,
  internal: flag,
  attachable: flag,
  labels: pairs,
  enable_ipv4: kept(flag),
  enable_ipv6: kept(flag),
});

const volume = struct({ name: text, driver: text, driver_opts: pairs, external: flag, labels: pairs });

const fileObject = struct({
  name: text,
  file: text,
  environment: text,
  content: text,
  external: flag,
  labels: pairs,
  driver: text,
  driver_opts: pairs,
  template_driver: text,
});

const model = struct({ name: text, model: text, context_size: integer, runtime_flags: texts });

/** What the sections of a project hold, in the order in which they are printed. */
export const sections = {
  services: service,
  networks: network,
  volumes: volume,
  secrets: fileObject,
  configs: fileObject,
  models: model,
} as const;

export type SectionName = keyof typeof sections;
