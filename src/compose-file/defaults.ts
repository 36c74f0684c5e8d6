import { get, map, mapValues, scalar, set, textOf, toPlain, update, type MapNode, type Node } from "./node.ts";

/** What the Specification says of fields that a file does not set, where it does not depend on other parts of the project. */
export function addDefaults(tree: MapNode): MapNode {
  return update(tree, "services", (services) => (services.kind === "map" ? mapValues(services, addToService) : services));
}

function addToService(service: Node): Node {
  if (service.kind !== "map") return service;
  const change: Readonly<Record<string, (value: Node) => Node>> = {
    build: (build) => addTo(build, { context: scalar(".") }),
    deploy: (deploy) =>
      inMap(deploy, "resources", (resources) => inMap(resources, "reservations", (part) => inMap(part, "devices", countDevices))),
    gpus: countDevices,
    ports: (ports) => inItems(ports, (port) => addTo(port, { mode: scalar("ingress"), protocol: scalar("tcp") })),
    secrets: (grants) =>
      inItems(grants, (grant) => addTo(grant, { target: scalar(`/run/secrets/${textOf(get(grant, "source")) ?? ""}`) })),
  };
  return Object.entries(change).reduce<MapNode>((tree, [key, add]) => update(tree, key, add), service);
}

/** A request that says neither how many nor which devices means all of them. */
function countDevices(requests: Node): Node {
  return inItems(requests, (request) =>
    get(request, "count") === undefined && get(request, "device_ids") === undefined
      ? addTo(request, { count: scalar("all") })
      : request,
  );
}

function addTo(node: Node, defaults: Readonly<Record<string, Node>>): Node {
  const start: Node = node.kind === "scalar" && toPlain(node) === null ? map({}, node.place) : node;
  if (start.kind !== "map") return node;
  return Object.entries(defaults).reduce(
    (tree, [key, value]) => (get(tree, key) === undefined ? set(tree, key, value) : tree),
    start,
  );
}

function inItems(node: Node, change: (item: Node) => Node): Node {
  return node.kind === "list" ? { ...node, items: node.items.map(change) } : node;
}

function inMap(node: Node, key: string, change: (value: Node) => Node): Node {
  return node.kind === "map" ? update(node, key, change) : node;
}
