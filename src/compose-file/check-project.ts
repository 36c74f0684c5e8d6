import { didYouMean, VarveError } from "../errors/index.ts";
import { at, type MapNode, type Node, type Place } from "./node.ts";
import type { Project, Service } from "./types.ts";
import { scaleOf } from "./select-services.ts";

type Path = readonly (string | number)[];
type Fail = (path: Path, reason: string, hint?: string) => never;

/**
 * What no schema can say: that names lead somewhere, and that fields do not contradict each other (Compose Specification,
 * at the fields concerned). The tree tells the places. Fails with COMPOSE_INCONSISTENT or COMPOSE_CYCLE.
 */
export function checkProject(project: Project, tree: MapNode): void {
  const fail: Fail = (path, reason, hint) => {
    throw new VarveError("COMPOSE_INCONSISTENT", reason, { ...at(placeOf(tree, path)), ...(hint === undefined ? {} : { hint }) });
  };
  for (const [name, service] of Object.entries(project.services)) {
    checkBuild(service, project, fail);
    checkReferences(service, project, fail);
    checkLimits(service, fail);
    checkMounts(service, fail);
    if (
      service.healthcheck?.test !== undefined &&
      !["CMD", "CMD-SHELL", "NONE"].includes(service.healthcheck.test[0] ?? "NONE")
    ) {
      fail(["services", name, "healthcheck", "test"], `healthcheck.test must start either by "CMD", "CMD-SHELL" or "NONE"`);
    }
    for (const [index, trigger] of (service.develop?.watch ?? []).entries()) {
      if (trigger.target === undefined && trigger.action !== "rebuild" && trigger.action !== "restart") {
        fail(
          ["services", name, "develop", "watch", index],
          `services.${name}.develop.watch: target is required for non-rebuild actions`,
        );
      }
    }
  }
  checkResources(project, fail);
  checkCycle(project, tree);
}

function checkBuild(service: Service, project: Project, fail: Fail): void {
  const { name, build } = service;
  const path = ["services", name];
  if (build === undefined) {
    if (service.image === undefined && service.provider === undefined) {
      fail(path, `service "${name}" has neither an image nor a build context specified`);
    }
    return;
  }
  if (build.dockerfile !== undefined && build.dockerfile_inline !== undefined) {
    fail(
      [...path, "build", "dockerfile_inline"],
      `service "${name}" declares mutualy exclusive dockerfile and dockerfile_inline`,
    );
  }
  for (const [context, value] of Object.entries(build.additional_contexts ?? {})) {
    if (!value.startsWith("service:")) continue;
    const target = value.slice("service:".length);
    const at = [...path, "build", "additional_contexts", context];
    const known = project.services[target];
    if (known === undefined) {
      fail(
        at,
        `service "${name}" declares unknown service "${target}" as additional contexts ${context}${didYouMean(target, Object.keys(project.services))}`,
      );
    } else if (known.build === undefined) {
      fail(at, `service "${name}" declares non-buildable service "${target}" as additional contexts ${context}`);
    }
  }
  const { platforms } = build;
  if (platforms !== undefined && service.platform !== undefined && !platforms.includes(service.platform)) {
    fail([...path, "build", "platforms"], `service.build.platforms MUST include service.platform "${service.platform}"`);
  }
}

function checkReferences(service: Service, project: Project, fail: Fail): void {
  const { name } = service;
  const path = ["services", name];
  const need = (kind: string, key: string, known: Readonly<Record<string, unknown>>, at: Path): void => {
    if (!Object.hasOwn(known, key))
      fail(at, `service "${name}" refers to undefined ${kind} ${key}${didYouMean(key, Object.keys(known))}`);
  };
  if (service.network_mode !== undefined && Object.keys(service.networks ?? {}).length > 0) {
    fail([...path, "network_mode"], `service ${name} declares mutually exclusive \`network_mode\` and \`networks\``);
  }
  for (const key of Object.keys(service.networks ?? {})) need("network", key, project.networks, [...path, "networks", key]);
  for (const [index, mount] of (service.volumes ?? []).entries()) {
    if (mount.type === "volume" && mount.source !== undefined)
      need("volume", mount.source, project.volumes, [...path, "volumes", index]);
    if (mount.type === "bind" && mount.source === undefined) {
      fail([...path, "volumes", index], `invalid mount config for type "bind": field Source must not be empty`);
    }
  }
  for (const [index, { source }] of (service.build?.secrets ?? []).entries())
    need("build secret", source, project.secrets, [...path, "build", "secrets", index]);
  for (const [index, { source }] of (service.configs ?? []).entries())
    need("config", source, project.configs, [...path, "configs", index]);
  for (const [index, { source }] of (service.secrets ?? []).entries())
    need("secret", source, project.secrets, [...path, "secrets", index]);
  for (const key of Object.keys(service.models ?? {})) need("model", key, project.models, [...path, "models", key]);
  for (const [other, { required }] of Object.entries(service.depends_on ?? {})) {
    if (Object.hasOwn(project.services, other)) continue;
    const isDisabled = Object.hasOwn(project.disabledServices, other);
    if (isDisabled && !required) continue;
    const hint = isDisabled
      ? `${other} belongs to a profile that is not active: ${project.disabledServices[other]?.profiles?.join(", ")}`
      : undefined;
    const near = isDisabled ? "" : didYouMean(other, Object.keys(project.services));
    fail([...path, "depends_on", other], `service "${name}" depends on undefined service "${other}"${near}`, hint);
  }
}

function checkLimits(service: Service, fail: Fail): void {
  const { name, deploy } = service;
  const path = ["services", name];
  const same = (key: string, value: unknown, other: unknown, otherName: string): void => {
    if (value !== other) fail([...path, key], `services.${name}: can't set distinct values on '${key}' and '${otherName}'`);
  };
  if (service.scale !== undefined && deploy?.replicas !== undefined)
    same("scale", service.scale, deploy.replicas, "deploy.replicas");
  for (const [key, count] of [
    ["scale", service.scale],
    ["deploy.replicas", deploy?.replicas],
  ] as const) {
    if (count !== undefined && count < 0)
      fail([...path, ...key.split(".")], `services.${name}.${key}: must be greater than or equal to 0`);
  }
  const { limits, reservations } = deploy?.resources ?? {};
  if (limits !== undefined) {
    if (service.cpus !== undefined) same("cpus", service.cpus, limits.cpus, "deploy.resources.limits.cpus");
    if (service.mem_limit !== undefined) same("mem_limit", service.mem_limit, limits.memory, "deploy.resources.limits.memory");
    if (service.pids_limit !== undefined) same("pids_limit", service.pids_limit, limits.pids, "deploy.resources.limits.pids");
  }
  if (reservations !== undefined && service.mem_reservation !== undefined) {
    same("mem_reservation", service.mem_reservation, reservations.memory, "deploy.resources.reservations.memory");
  }
  if (service.container_name !== undefined && scaleOf(service) > 1) {
    const key = service.scale === undefined ? "deploy.replicas" : "scale";
    fail([...path, "container_name"], `services.${name}: can't set container_name and ${key} as container name must be unique`);
  }
  const devices = [...(reservations?.devices ?? []), ...(service.gpus ?? [])];
  if (devices.some((device) => device.count !== undefined && device.device_ids !== undefined)) {
    fail(
      [...path, service.gpus === undefined ? "deploy" : "gpus"],
      `services.${name}: "count" and "device_ids" attributes are exclusive`,
    );
  }
}

function checkMounts(service: Service, fail: Fail): void {
  const taken = new Map<string, string>();
  const take = (target: string, key: string, index: number): void => {
    const where = `services.${service.name}.${key}[${index}]`;
    const before = taken.get(target);
    if (before !== undefined)
      fail(["services", service.name, key, index], `${where}: target ${target} already mounted as ${before}`);
    taken.set(target, where);
  };
  for (const [index, tmpfs] of (service.tmpfs ?? []).entries()) take(tmpfs.split(":", 1)[0] ?? tmpfs, "tmpfs", index);
  for (const [index, { target }] of (service.volumes ?? []).entries()) take(target, "volumes", index);
}

/** Secrets and configs come from one place; what is external is described elsewhere. */
function checkResources(project: Project, fail: Fail): void {
  for (const section of ["secrets", "configs"] as const) {
    const sources = section === "secrets" ? (["file", "environment"] as const) : (["file", "environment", "content"] as const);
    for (const [key, object] of Object.entries(project[section])) {
      const given = sources.filter((source) => object[source] !== undefined);
      if (given.length > 1) fail([section, key], `${section}.${key}: ${sources.join("|")} attributes are mutually exclusive`);
      if (given.length === 0 && object.driver === undefined && object.external !== true) {
        fail([section, key], `${section}.${key}: one of ${sources.join("|")} must be set`);
      }
    }
  }
  for (const [key, { name: _, external, ...rest }] of Object.entries(project.volumes)) {
    const [other] = Object.keys(rest).filter((field) => !field.startsWith("x-"));
    if (external === true && other !== undefined) {
      fail(["volumes", key, other], `volumes.${key}: conflicting parameters "external" and "${other}" specified`);
    }
  }
}

/** Services that need each other could never start. */
function checkCycle(project: Project, tree: MapNode): void {
  const done = new Set<string>();
  const visit = (name: string, chain: readonly string[]): void => {
    if (chain.includes(name)) {
      const cycle = [...chain.slice(chain.indexOf(name)), name];
      const place = placeOf(tree, ["services", cycle.at(-2) ?? name, "depends_on", name]);
      throw new VarveError("COMPOSE_CYCLE", `dependency cycle detected: ${cycle.join(" -> ")}`, at(place));
    }
    if (done.has(name)) return;
    for (const other of Object.keys(project.services[name]?.depends_on ?? {})) visit(other, [...chain, name]);
    done.add(name);
  };
  for (const name of Object.keys(project.services)) visit(name, []);
}

/** Where a value stands, or the nearest one around it that is written down. */
function placeOf(tree: MapNode, path: Path): Place | undefined {
  let place: Place | undefined;
  let node: Node | undefined = tree;
  for (const part of path) {
    const entry: { readonly value: Node; readonly keyPlace?: Place | undefined } | undefined =
      node.kind === "map" ? node.entries.get(String(part)) : undefined;
    node = node.kind === "list" && typeof part === "number" ? node.items[part] : entry?.value;
    if (node === undefined) break;
    place = entry?.keyPlace ?? node.place ?? place;
  }
  return place;
}
