import { VarveError } from "../errors/index.ts";
import { readMount } from "./mounts.ts";
import {
  at,
  get,
  isNull,
  list,
  map,
  mapValues,
  scalar,
  set,
  showPath,
  textOf,
  toPlain,
  update,
  type MapNode,
  type Node,
} from "./node.ts";
import { readPort } from "./ports.ts";

export interface CanonicalOptions {
  /** False: variables stand in the texts, and a short form that cannot be read stays as it is. */
  readonly isInterpolated: boolean;
}

type Path = readonly (string | number)[];

/**
 * Every short form of a file's tree in its long one: what remains has one shape for each field, and so can be merged and
 * read without asking which. The tree has the schema's shape already. Fails with COMPOSE_INVALID at the place.
 */
export function toLongForms(file: MapNode, options: CanonicalOptions): MapNode {
  const services = update(file, "services", (node) => mapOf(node, (service, name) => serviceToLong(service, name, options)));
  const resources = ["networks", "volumes", "secrets", "configs"].reduce(
    (tree, section) => update(tree, section, (node) => mapOf(node, resourceToLong)),
    services,
  );
  return resources;
}

/** The long forms of one service. */
export function serviceToLong(node: Node, name: string, options: CanonicalOptions): Node {
  if (node.kind !== "map") return node;
  const path = ["services", name];
  const change: Readonly<Record<string, (value: Node) => Node | undefined>> = {
    annotations: pairsToMap,
    build: (build) => buildToLong(build, [...path, "build"]),
    configs: (grants) => mapItems(grants, sourceToMap),
    depends_on: dependenciesToMap,
    devices: (devices) => mapItems(devices, (device, index) => deviceToMap(device, [...path, "devices", index], options)),
    dns: textToList,
    dns_search: textToList,
    env_file: (files) => mapItems(textToList(files), envFileToMap),
    environment: pairsToMap,
    deploy: (deploy) => mapOrSelf(deploy, (section) => update(section, "labels", pairsToMap)),
    develop: (develop) =>
      mapOrSelf(develop, (section) => update(section, "watch", (triggers) => mapItems(triggers, triggerToLong))),
    expose: (ports) => mapItems(ports, numberToText),
    extends: (base) => (textOf(base) === undefined ? base : map({ service: base }, base.place)),
    extra_hosts: hostsToList,
    gpus: (gpus) => (textOf(gpus) === undefined ? gpus : list([map({ count: scalar("all", gpus.place) })], gpus.place)),
    label_file: textToList,
    labels: pairsToMap,
    logging: (logging) => mapOrSelf(logging, (section) => update(section, "options", (options) => options)),
    models: namesToMap,
    networks: namesToMap,
    ports: (ports) => portsToLong(ports, path, options),
    post_start: (hooks) => mapItems(hooks, hookToLong),
    pre_start: (hooks) => mapItems(hooks, hookToLong),
    pre_stop: (hooks) => mapItems(hooks, hookToLong),
    secrets: (grants) => mapItems(grants, sourceToMap),
    sysctls: pairsToMap,
    tmpfs: textToList,
    volumes: (volumes) => mapItems(volumes, (volume, index) => volumeToLong(volume, [...path, "volumes", index], options)),
  };
  return Object.entries(change).reduce<MapNode>((service, [key, toLong]) => update(service, key, keepTag(toLong)), node);
}

/** `!reset` and `!override` outlive a change of form. */
function keepTag(change: (value: Node) => Node | undefined): (value: Node) => Node | undefined {
  return (value) => {
    if (value.tag === "reset") return value;
    const changed = change(value);
    return changed === undefined || value.tag === undefined ? changed : { ...changed, tag: value.tag };
  };
}

function mapOf(node: Node, change: (value: Node, key: string) => Node): Node {
  return node.kind === "map" ? mapValues(node, (value, key) => keepTag((one) => change(one, key))(value)) : node;
}

function mapOrSelf(node: Node, change: (node: MapNode) => Node): Node {
  return node.kind === "map" ? change(node) : node;
}

function mapItems(node: Node, change: (item: Node, index: number) => Node): Node {
  return node.kind === "list" ? { ...node, items: node.items.map(change) } : node;
}

function textToList(node: Node): Node {
  return textOf(node) === undefined ? node : list([node], node.place);
}

function numberToText(node: Node): Node {
  return node.kind === "scalar" && typeof node.value === "number" ? { ...node, value: String(node.value) } : node;
}

/** `["A=1", "B"]` → `{A: 1, B: null}`. */
function pairsToMap(node: Node): Node {
  if (node.kind !== "list") return node;
  const entries = new Map<string, { readonly value: Node }>();
  for (const item of node.items) {
    const text = String(toPlain(item));
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    if (/\s$/.test(name)) throw invalid(`variable ${JSON.stringify(name)} is declared with a trailing space`, [], item);
    entries.set(name, { value: scalar(equals < 0 ? null : text.slice(equals + 1), item.place) });
  }
  return { kind: "map", entries, place: node.place };
}

function namesToMap(node: Node): Node {
  if (node.kind !== "list") return node;
  const entries = new Map(
    node.items.map((item) => [String(toPlain(item)), { value: scalar(null, item.place), keyPlace: item.place }]),
  );
  return { kind: "map", entries, place: node.place };
}

function dependenciesToMap(node: Node): Node {
  const started = scalar("service_started");
  const whole = (value: Node): Node => {
    const dependency = value.kind === "map" ? value : map({}, value.place);
    const withCondition = get(dependency, "condition") === undefined ? set(dependency, "condition", started) : dependency;
    return get(withCondition, "required") === undefined ? set(withCondition, "required", scalar(true)) : withCondition;
  };
  const named = namesToMap(node);
  return named.kind === "map" ? mapValues(named, keepTag(whole)) : named;
}

/** `{HOST: ADDRESS}`, `HOST:ADDRESS` → `HOST=ADDRESS`; brackets around an address go. */
function hostsToList(node: Node): Node {
  const one = (host: string, address: string, item: Node): Node => {
    if (host === "" || /[:=]/.test(host)) throw invalid(`bad host name ${JSON.stringify(host)}`, [], item);
    return scalar(`${host}=${address.replace(/^\[(.+)\]$/, "$1")}`, item.place);
  };
  if (node.kind === "map") {
    const items = [...node.entries].flatMap(([host, { value }]) =>
      (value.kind === "list" ? value.items : [value]).map((address) =>
        one(host, isNull(address) ? "" : String(toPlain(address)), address),
      ),
    );
    return list(items, node.place);
  }
  return mapItems(node, (item) => {
    const text = String(toPlain(item));
    const match = /^([^=]*?)=(.*)$/s.exec(text) ?? /^([^:]*):(.*)$/s.exec(text);
    if (match === null) throw invalid(`invalid additional host, missing IP: ${text}`, [], item);
    return one(match[1] ?? "", match[2] ?? "", item);
  });
}

function sourceToMap(grant: Node): Node {
  return textOf(grant) === undefined ? grant : map({ source: grant }, grant.place);
}

function envFileToMap(file: Node): Node {
  return textOf(file) === undefined ? file : map({ path: file, required: scalar(true) }, file.place);
}

function triggerToLong(trigger: Node): Node {
  if (trigger.kind !== "map") return trigger;
  return ["ignore", "include"].reduce((tree, key) => update(tree, key, textToList), update(trigger, "exec", hookToLong));
}

function hookToLong(hook: Node): Node {
  return mapOrSelf(hook, (section) => update(section, "environment", pairsToMap));
}

function deviceToMap(device: Node, path: Path, { isInterpolated }: CanonicalOptions): Node {
  const text = textOf(device);
  if (text === undefined) return device;
  const [source = "", target, permissions, ...more] = text.split(":");
  if (more.length > 0) {
    if (!isInterpolated) return device;
    throw invalid(`confusing device mapping, please use long syntax: ${text}`, path, device);
  }
  const { place } = device;
  const at = scalar(target === undefined || target === "" ? source : target, place);
  return map({ source: scalar(source, place), target: at, permissions: scalar(permissions ?? "rwm", place) }, place);
}

function portsToLong(node: Node, path: Path, { isInterpolated }: CanonicalOptions): Node {
  if (node.kind !== "list") return node;
  const items = node.items.flatMap((item, index) => {
    if (item.kind === "map") return [update(item, "published", numberToText)];
    const read = readPort(String(toPlain(item)), item.place);
    if ("ports" in read) return read.ports;
    if (!isInterpolated) return [item];
    throw invalid(read.reason, [...path, "ports", index], item);
  });
  return { ...node, items };
}

function volumeToLong(volume: Node, path: Path, { isInterpolated }: CanonicalOptions): Node {
  const text = textOf(volume);
  if (text === undefined) {
    return mapOrSelf(volume, (mount) =>
      update(mount, "volume", (section) => mapOrSelf(section, (part) => update(part, "labels", pairsToMap))),
    );
  }
  const read = readMount(text, volume.place);
  if ("mount" in read) return read.mount;
  if (!isInterpolated) return volume;
  throw invalid(read.reason, path, volume);
}

function buildToLong(node: Node, path: Path): Node {
  if (textOf(node) !== undefined) return map({ context: node }, node.place);
  if (node.kind !== "map") return node;
  const change: Readonly<Record<string, (value: Node) => Node>> = {
    additional_contexts: (contexts) => contextsToMap(contexts, [...path, "additional_contexts"]),
    args: pairsToMap,
    cache_from: textToList,
    cache_to: textToList,
    extra_hosts: hostsToList,
    labels: pairsToMap,
    no_cache_filter: textToList,
    platforms: textToList,
    provenance: switchToText,
    sbom: switchToText,
    secrets: (grants) => mapItems(grants, sourceToMap),
    ssh: (keys) => sshToMap(keys, [...path, "ssh"]),
    tags: textToList,
  };
  return Object.entries(change).reduce<MapNode>((build, [key, toLong]) => update(build, key, keepTag(toLong)), node);
}

function switchToText(node: Node): Node {
  return node.kind === "scalar" && node.value !== null ? { ...node, value: String(node.value) } : node;
}

function contextsToMap(node: Node, path: Path): Node {
  if (node.kind === "list") {
    for (const [index, item] of node.items.entries()) {
      if (!String(toPlain(item)).includes("="))
        throw invalid(`invalid value ${String(toPlain(item))}, expected key=value`, [...path, index], item);
    }
  }
  return pairsToMap(node);
}

/** `["default", "id=path"]` → `{default: null, id: path}`; only the default agent needs no path. */
function sshToMap(node: Node, path: Path): Node {
  if (node.kind === "list") {
    for (const [index, item] of node.items.entries()) {
      const text = String(toPlain(item));
      if (!text.includes("=") && text !== "default")
        throw invalid(`invalid ssh key ${JSON.stringify(text)}`, [...path, index], item);
    }
  }
  return pairsToMap(node);
}

/** Labels as a map, and `external: {name: X}` of old files as `external: true` with the name. */
function resourceToLong(node: Node, key: string): Node {
  if (node.kind !== "map") return node;
  const resource = update(node, "labels", pairsToMap);
  const external = get(resource, "external");
  if (external?.kind !== "map") return resource;
  const name = get(external, "name");
  const own = get(resource, "name");
  if (name !== undefined && own !== undefined && toPlain(name) !== toPlain(own)) {
    throw invalid("name and external.name conflict; only use name", [key], name);
  }
  const marked = set(resource, "external", scalar(true, external.place));
  return name === undefined ? marked : set(marked, "name", name);
}

function invalid(reason: string, path: Path, node: Node): VarveError {
  const shown = showPath(path);
  return new VarveError("COMPOSE_INVALID", shown === "" ? reason : `${shown}: ${reason}`, at(node.place));
}
