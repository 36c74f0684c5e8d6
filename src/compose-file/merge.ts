import { VarveError } from "../errors/index.ts";
import { at, get, list, mapValues, toPlain, type ListNode, type MapNode, type Node } from "./node.ts";

type Path = readonly string[];

/**
 * One file's tree over another's, both in long forms (Compose Specification, "Merge"): maps are merged, lists appended and
 * then made unique by what tells their items apart, texts and numbers replaced; `command`, `entrypoint` and
 * `healthcheck.test` are replaced as a whole, `logging` where its driver is another. `!reset` removes, `!override` replaces.
 */
export function mergeTrees(base: MapNode, over: MapNode): MapNode {
  return mergeMaps(base, over, []);
}

/** A service over the one that it extends. */
export function mergeServices(base: MapNode, over: MapNode): MapNode {
  return mergeMaps(base, over, ["services", "*"]);
}

/** Without what only says how to merge: the tags, and entries that were reset. Lists are made unique. */
export function settle(tree: MapNode): MapNode {
  return settleNode(tree, []) as MapNode;
}

function settleNode(node: Node, path: Path): Node {
  const { tag: _, ...plain } = node;
  if (plain.kind === "map") {
    return mapValues(plain, (value, key) => (value.tag === "reset" ? undefined : settleNode(value, next(path, key))));
  }
  if (plain.kind !== "list") return plain;
  const items = plain.items.filter((item) => item.tag !== "reset").map((item) => settleNode(item, [...path, "[]"]));
  return unique({ ...plain, items }, path);
}

/** Names that people chose are `*` in a path. */
function next(path: Path, key: string): Path {
  const parent = path.join(".");
  const isNamed = path.length === 1 || /^services\.\*\.(?:networks|ulimits|models|depends_on)$/.test(parent);
  return [...path, isNamed ? "*" : key];
}

const replaced = new Set(["services.*.command", "services.*.entrypoint", "services.*.healthcheck.test"]);

/** Here nothing is a value too: that of the environment, or the empty text. */
const pairs = new Set([
  "networks.*.labels",
  "services.*.annotations",
  "services.*.build.additional_contexts",
  "services.*.build.args",
  "services.*.build.labels",
  "services.*.deploy.labels",
  "services.*.environment",
  "services.*.labels",
  "services.*.sysctls",
  "volumes.*.labels",
]);

function merge(base: Node, over: Node, path: Path): Node | undefined {
  if (over.tag === "reset") return undefined;
  if (over.tag === "override") return over;
  const where = path.join(".");
  if (replaced.has(where)) return over;
  if (over.kind === "scalar" && over.value === null) return base;
  if (base.kind === "scalar" && base.value === null) return over;
  if (base.kind === "map") {
    if (over.kind !== "map") {
      if (where === "services.*.ulimits.*") return over;
      throw cannotOverride(over, path);
    }
    if (where === "services.*.ulimits.*") return over;
    if (where === "services.*.logging" && !hasSameDriver(base, over)) return over;
    return mergeMaps(base, over, path);
  }
  if (base.kind === "list") {
    if (over.kind !== "list") throw cannotOverride(over, path);
    if (where === "networks.*.ipam.config") return mergePools(base, over);
    return unique({ ...over, items: [...base.items, ...over.items] }, path);
  }
  return over;
}

function mergeMaps(base: MapNode, over: MapNode, path: Path): MapNode {
  const entries = new Map(base.entries);
  const arePairs = pairs.has(path.join("."));
  for (const [key, { value, keyPlace }] of over.entries) {
    const before = entries.get(key)?.value;
    const isFirst = before === undefined || arePairs;
    const after = isFirst ? (value.tag === "reset" ? undefined : value) : merge(before, value, next(path, key));
    if (after === undefined) entries.delete(key);
    else entries.set(key, { value: after, keyPlace });
  }
  return { ...base, entries };
}

function hasSameDriver(base: MapNode, over: MapNode): boolean {
  const [before, after] = [get(base, "driver"), get(over, "driver")];
  return before === undefined || after === undefined || toPlain(before) === toPlain(after);
}

/** Pools of the same subnet are one. */
function mergePools(base: ListNode, over: ListNode): ListNode {
  const pools = [...base.items];
  for (const pool of over.items) {
    const subnet = part(pool, "subnet");
    const index = pools.findIndex((each) => part(each, "subnet") === subnet);
    const same = pools[index];
    if (same?.kind === "map" && pool.kind === "map")
      pools[index] = mergeMaps(same, pool, ["networks", "*", "ipam", "config", "[]"]);
    else pools.push(pool);
  }
  return list(pools, over.place);
}

/** A scalar of a map as text; undefined where there is none. */
function part(item: Node, field: string): string | undefined {
  const value = get(item, field);
  return value?.kind === "scalar" && value.value !== null ? String(value.value) : undefined;
}

type Key = (item: Node) => string;

const byText: Key = (item) => (item.kind === "scalar" ? String(item.value) : JSON.stringify(toPlain(item)));
const byField =
  (field: string): Key =>
  (item) =>
    item.kind === "map" ? (part(item, field) ?? "") : byText(item);

/** What tells the items of a list apart: of two alike the later takes the earlier's place. */
const keys: Readonly<Record<string, Key>> = {
  "services.*.build.tags": byText,
  "services.*.cap_add": byText,
  "services.*.cap_drop": byText,
  "services.*.configs": (item) => part(item, "target") ?? `/${part(item, "source")}`,
  "services.*.devices": byField("target"),
  "services.*.dns": byText,
  "services.*.dns_opt": byText,
  "services.*.dns_search": byText,
  "services.*.env_file": byField("path"),
  "services.*.expose": byText,
  "services.*.extra_hosts": byText,
  "services.*.build.extra_hosts": byText,
  "services.*.links": byText,
  "services.*.networks.*.aliases": byText,
  "services.*.networks.*.link_local_ips": byText,
  "services.*.ports": portKey,
  "services.*.profiles": byText,
  "services.*.secrets": (item) => part(item, "target") ?? `/run/secrets/${part(item, "source")}`,
  "services.*.tmpfs": byText,
  "services.*.volumes": byField("target"),
};

function portKey(item: Node): string {
  if (item.kind !== "map") return byText(item);
  const target = part(item, "target") ?? "";
  return [part(item, "host_ip") ?? "0.0.0.0", part(item, "published") ?? "", target, part(item, "protocol") ?? "tcp"].join("/");
}

function unique(node: ListNode, path: Path): ListNode {
  const key = keys[path.join(".")];
  if (key === undefined) return node;
  const places = new Map<string, number>();
  const items: Node[] = [];
  for (const item of node.items) {
    const name = key(item);
    const before = places.get(name);
    if (before === undefined) places.set(name, items.push(item) - 1);
    else items[before] = item;
  }
  return { ...node, items };
}

function cannotOverride(over: Node, path: Path): VarveError {
  return new VarveError("COMPOSE_INVALID", `cannot override ${path.join(".")}: the earlier value is of another kind`, {
    ...at(over.place),
    hint: "!override replaces a value as a whole",
  });
}
