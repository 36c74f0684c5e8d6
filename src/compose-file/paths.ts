import { posix } from "node:path";
import { get, mapValues, scalar, set, textOf, update, type MapNode, type Node } from "./node.ts";

export interface PathOptions {
  /** What relative paths start from. */
  readonly base: string;
  /** The user's home, for `~`. */
  readonly home: string | undefined;
}

/** Makes the relative paths of a tree in long forms start from the base. URLs and names of other things stay. */
export function resolvePaths(tree: MapNode, options: PathOptions): MapNode {
  const path = (node: Node): Node => changeText(node, (text) => resolvePath(text, options));
  const withServices = update(tree, "services", (services) =>
    services.kind === "map" ? mapValues(services, (one) => resolveServicePaths(one, options)) : services,
  );
  const withFiles = ["configs", "secrets"].reduce(
    (whole, section) =>
      update(whole, section, (node) => (node.kind === "map" ? mapValues(node, (one) => inMap(one, "file", path)) : node)),
    withServices,
  );
  return update(withFiles, "volumes", (node) =>
    node.kind === "map" ? mapValues(node, (one) => resolveBoundVolume(one, path)) : node,
  );
}

/** The same for one service. */
export function resolveServicePaths(service: Node, options: PathOptions): Node {
  if (service.kind !== "map") return service;
  const path = (node: Node): Node => changeText(node, (text) => resolvePath(text, options));
  const context = (node: Node): Node => changeText(node, (text) => (isElsewhere(text) ? text : resolvePath(text, options)));
  const change: Readonly<Record<string, (value: Node) => Node>> = {
    build: (build) =>
      inMap(
        inMap(inMap(build, "context", context), "additional_contexts", (node) => inValues(node, context)),
        "ssh",
        (node) => inValues(node, path),
      ),
    develop: (develop) => inMap(develop, "watch", (triggers) => inItems(triggers, (trigger) => inMap(trigger, "path", path))),
    env_file: (files) => inItems(files, (file) => inMap(file, "path", path)),
    label_file: (files) => inItems(files, path),
    volumes: (mounts) =>
      inItems(mounts, (mount) => (textOf(get(mount, "type")) === "bind" ? inMap(mount, "source", path) : mount)),
  };
  return Object.entries(change).reduce<MapNode>((tree, [key, resolve]) => update(tree, key, resolve), service);
}

/** One path from a file, absolute when the base is. */
export function resolvePath(text: string, { base, home }: PathOptions): string {
  if (text === "") return text;
  if (/^~(?:\/|$)/.test(text) && home !== undefined) return posix.join(home, text.slice(1));
  if (posix.isAbsolute(text) || /^[a-z]:[\\/]|^\\\\/i.test(text)) return text;
  const joined = posix.join(base, text);
  return joined.length > 1 ? joined.replace(/\/$/, "") : joined;
}

/** A build context that is no folder of this machine. */
function isElsewhere(text: string): boolean {
  return text.includes("://") || /^(?:service:|github\.com\/|git@)/.test(text);
}

/** A volume of the local driver that is bound to a folder names it among the driver's options. */
function resolveBoundVolume(volume: Node, path: (node: Node) => Node): Node {
  const options = get(volume, "driver_opts");
  const isBound = textOf(get(volume, "driver")) === "local" && textOf(get(options, "o")) === "bind";
  return isBound && volume.kind === "map" && options?.kind === "map"
    ? set(volume, "driver_opts", update(options, "device", path))
    : volume;
}

function changeText(node: Node, change: (text: string) => string): Node {
  const text = textOf(node);
  return text === undefined
    ? node
    : { ...scalar(change(text), node.place), ...(node.tag === undefined ? {} : { tag: node.tag }) };
}

function inItems(node: Node, change: (item: Node) => Node): Node {
  return node.kind === "list" ? { ...node, items: node.items.map(change) } : node;
}

function inMap(node: Node, key: string, change: (value: Node) => Node): Node {
  return node.kind === "map" ? update(node, key, change) : node;
}

function inValues(node: Node, change: (value: Node) => Node): Node {
  return node.kind === "map" ? mapValues(node, change) : node;
}
