import type { Inode, Root } from "./flatten-layers.ts";
import type { Document, Image } from "./read-image.ts";

/** One thing in which two images are not the same. */
export interface Difference {
  /** `config.Env.1`, `history.3.created_by`, `/etc/passwd mode`. */
  readonly place: string;
  readonly docker: string;
  readonly varve: string;
}

/**
 * What differs between two images. Times that lie after `startSeconds` are the build's own and nobody's promise; older
 * ones come from contexts and base images and are compared.
 */
export function compareImages(docker: Image, varve: Image, startSeconds: number): Difference[] {
  return [
    ...compareValues("config", withoutTimes(docker.config), withoutTimes(varve.config)),
    ...compareValues("manifest", describe(docker.manifest), describe(varve.manifest)),
    ...compareValues("layers", docker.layers.length, varve.layers.length),
    ...compareRoots(docker.root, varve.root, startSeconds),
    ...(docker.layers.length === varve.layers.length
      ? docker.layers.flatMap((layer, index) => comparePaths(index, layer, varve.layers[index] ?? []))
      : []),
  ];
}

/** Which paths a layer names. */
function comparePaths(index: number, docker: Image["layers"][number], varve: Image["layers"][number]): Difference[] {
  const left = new Set(docker.map(({ path }) => path));
  const right = new Set(varve.map(({ path }) => path));
  const all = [...new Set([...left, ...right])].sort();
  return all
    .filter((path) => left.has(path) !== right.has(path))
    .map((path) => ({
      place: `layer ${index} ${path}`,
      docker: left.has(path) ? "there" : "absent",
      varve: right.has(path) ? "there" : "absent",
    }));
}

/** A config without what tells the time or repeats the layers. */
function withoutTimes(config: Document): Document {
  const history = Array.isArray(config["history"])
    ? config["history"].map((entry: Document) => ({ ...entry, created: undefined }))
    : config["history"];
  const { diff_ids: ids, ...rootfs } = config["rootfs"] as { diff_ids: unknown[] | null };
  return { ...config, created: undefined, history, rootfs: { ...rootfs, layers: ids?.length ?? null } };
}

/** A manifest without digests and sizes. */
function describe(manifest: Document): Document {
  const type = (descriptor: unknown) => (descriptor as { mediaType: string }).mediaType;
  return {
    ...manifest,
    config: type(manifest["config"]),
    layers: Array.isArray(manifest["layers"]) ? manifest["layers"].map(type) : manifest["layers"],
  };
}

function compareValues(place: string, docker: unknown, varve: unknown): Difference[] {
  if (isTable(docker) && isTable(varve)) {
    const keys = [...new Set([...Object.keys(docker), ...Object.keys(varve)])].sort();
    return keys.flatMap((key) => compareValues(`${place}.${key}`, docker[key], varve[key]));
  }
  if (Array.isArray(docker) && Array.isArray(varve)) {
    const length = Math.max(docker.length, varve.length);
    return Array.from({ length }).flatMap((_, index) => compareValues(`${place}.${index}`, docker[index], varve[index]));
  }
  const [left, right] = [print(docker), print(varve)];
  return left === right ? [] : [{ place, docker: left, varve: right }];
}

function compareRoots(docker: Root, varve: Root, startSeconds: number): Difference[] {
  const [left, right] = [withLinks(docker), withLinks(varve)];
  const paths = [...new Set([...left.keys(), ...right.keys()])].sort();
  return paths.flatMap((path) => {
    const [one, other] = [left.get(path), right.get(path)];
    if (!one || !other) {
      const show = (inode: Inode | undefined) =>
        inode ? `${inode.type} ${inode.mode.toString(8)} ${inode.uid}:${inode.gid}` : "absent";
      return [{ place: path, docker: show(one), varve: show(other) }];
    }
    const keys = ["type", "mode", "uid", "gid", "target", "device", "xattrs", "names"] as const;
    const found = keys.flatMap((key) => {
      const [a, b] = key === "mode" ? [one.mode.toString(8), other.mode.toString(8)] : [print(one[key]), print(other[key])];
      return a === b ? [] : [{ place: `${path} ${key}`, docker: a, varve: b }];
    });
    if (one.content !== other.content) found.push(...compareLines(path, one.text, other.text));
    if (one.mtime < startSeconds && one.mtime !== other.mtime)
      found.push({ place: `${path} mtime`, docker: String(one.mtime), varve: String(other.mtime) });
    return found;
  });
}

/** Contents that differ: the lines that only one of the two has, or just that they are not the same. */
function compareLines(path: string, docker: string, varve: string): Difference[] {
  const [left, right] = [docker.split("\n"), varve.split("\n")];
  const only = (lines: readonly string[], other: readonly string[]) =>
    JSON.stringify(lines.filter((line) => !other.includes(line)).join("\n"));
  return [{ place: `${path} content`, docker: only(left, right), varve: only(right, left) }];
}

/** Each path with its inode and all names of that inode. */
function withLinks(root: Root): Map<string, Inode & { readonly names: string }> {
  const names = new Map<Inode, string[]>();
  for (const [path, inode] of root) names.set(inode, [...(names.get(inode) ?? []), path]);
  return new Map([...root].map(([path, inode]) => [path, { ...inode, names: (names.get(inode) ?? []).sort().join(" ") }]));
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function print(value: unknown): string {
  return value === undefined
    ? "absent"
    : (JSON.stringify(value, isTable(value) ? Object.keys(value).sort() : undefined) ?? "absent");
}
