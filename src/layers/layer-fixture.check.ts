/** What the checks of this room share: building archives, looking at trees. Runs inside a namespace, as its root. */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isVarveError } from "../errors/index.ts";
import { lgetxattr, llistxattr, mountOverlay, unmount } from "../sys/index.ts";
import { encodeEntry, endOfArchive, padding, type TarHeader } from "../tar/index.ts";
import { applyLayer, diffLayer, type AppliedLayer } from "./index.ts";

/** In a user namespace whose id map is not everything, the overlay's marks are user.* and devices are refused. */
export const userXattr = !readFileSync("/proc/self/uid_map", "utf8").includes("4294967295");

export const base = mkdtempSync(join(tmpdir(), "varve-layers-"));
process.on("exit", () => rmSync(base, { recursive: true, force: true }));

const second = 1_000_000_000n;
let folders = 0;

export function freshFolder(name = "folder"): string {
  folders += 1;
  const path = join(base, `${name}-${folders}`);
  mkdirSync(path);
  return path;
}

export type Item = Partial<TarHeader> & { readonly path: string | Uint8Array; readonly body?: string | Uint8Array };

export function archiveOf(items: readonly Item[]): Buffer {
  const parts = items.flatMap(({ body = "", ...header }) => {
    const bytes = Buffer.from(body);
    const whole: TarHeader = { type: "file", mode: 0o644, uid: 0, gid: 0, mtime: { sec: 1_000_000_000n, nsec: 0 }, ...header };
    return [encodeEntry({ ...whole, ...(bytes.length > 0 && { size: bytes.length }) }), bytes, padding(bytes.length)];
  });
  return Buffer.concat([...parts, endOfArchive]);
}

export async function* inChunks(bytes: Uint8Array, size = 70_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function apply(
  archive: Buffer | readonly Item[],
  target: string,
  lowers: readonly string[] = [],
): Promise<AppliedLayer> {
  const bytes = Buffer.isBuffer(archive) ? archive : archiveOf(archive as readonly Item[]);
  return applyLayer({ source: inChunks(bytes), target, lowers, userXattr });
}

/** Unpacks a new layer and gives its folder. */
export async function layerOf(items: readonly Item[], lowers: readonly string[] = []): Promise<string> {
  const target = freshFolder("layer");
  await apply(items, target, lowers);
  return target;
}

export async function diff(upper: string, lowers: readonly string[], more: { clampMtime?: number } = {}): Promise<Buffer> {
  const blocks: Uint8Array[] = [];
  await diffLayer({ upper, lowers, userXattr, sink: (block) => void blocks.push(block), ...more });
  return Buffer.concat(blocks);
}

/** Mounts the layers, with a fresh upper folder on top, while `work` runs; gives the upper folder. */
export function mounted(lowers: readonly string[], work: (root: string) => void): string {
  const [upper, target] = [freshFolder("upper"), freshFolder("root")];
  mountOverlay({ lowers, upper, work: freshFolder("work"), target, userXattr });
  try {
    work(target);
  } finally {
    unmount(target);
  }
  return upper;
}

/** Every path of a tree with everything that a layer keeps of it. `raw` also shows the overlay's own marks. */
export function listTree(root: string, { raw = false } = {}): Record<string, string> {
  const found: Record<string, string> = {};
  const inodes = new Map<bigint, string>();
  const walk = (folder: string, prefix: string): void => {
    for (const name of readdirSync(Buffer.from(folder, "latin1"), { encoding: "latin1" }).toSorted()) {
      const path = `${folder}/${name}`;
      const at = Buffer.from(path, "latin1");
      const stats = lstatSync(at, { bigint: true });
      if (stats.isSocket()) continue;
      const facts = [stats.mode.toString(8), `${stats.uid}:${stats.gid}`];
      if (!stats.isDirectory())
        facts.push(`@${(stats.mtimeNs - (((stats.mtimeNs % second) + second) % second)) / second}`, `rdev=${stats.rdev}`);
      if (stats.isFile()) facts.push(createHash("md5").update(readFileSync(at)).digest("hex"), `size=${stats.size}`);
      if (stats.isSymbolicLink()) facts.push(`-> ${readlinkSync(at, "latin1")}`);
      if (!stats.isDirectory() && stats.nlink > 1n) {
        facts.push(`same as ${inodes.get(stats.ino) ?? "the next"}`);
        inodes.set(stats.ino, prefix + name);
      }
      for (const key of llistxattr(at).toSorted()) {
        const shown = raw ? key.includes(".overlay.opaque") || !key.includes(".overlay.") : !key.includes(".overlay.");
        if (shown) facts.push(`${key}=${lgetxattr(at, key)?.toString("hex")}`);
      }
      found[prefix + name] = facts.join(" ");
      if (stats.isDirectory()) walk(path, `${prefix + name}/`);
    }
  };
  walk(Buffer.from(root).toString("latin1"), "");
  return found;
}

/** What an overlay of the layers shows. */
export function listStack(lowers: readonly string[]): Record<string, string> {
  let found: Record<string, string> = {};
  mounted(lowers, (root) => void (found = listTree(root)));
  return found;
}

export const failsWith =
  (...codes: string[]) =>
  (error: unknown): boolean => {
    if (isVarveError(error) && codes.includes(error.code)) return true;
    throw error;
  };

export const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
