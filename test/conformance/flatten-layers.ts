import { createHash } from "node:crypto";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { readTar, type EntryType } from "../../src/tar/index.ts";

/** What a file, folder or other thing of an image is, its names aside. */
export interface Inode {
  readonly type: Exclude<EntryType, "link">;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** SHA-256 of the content of a file. */
  readonly content: string;
  /** The content itself where it is short, to show what differs. */
  readonly text: string;
  /** Of symbolic links. */
  readonly target: string;
  readonly device: string;
  readonly xattrs: Readonly<Record<string, string>>;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** Files up to this size are kept for the report. */
const shownBytes = 8192;

/** An entry of a layer, in the layer's order. */
export type LayerEntry = { readonly path: string } & ({ readonly inode: Inode } | { readonly sameAs: string });

/** A root as the layers make it: paths from `/` on; hard links share one inode object. */
export type Root = Map<string, Inode>;

/** Reads one layer blob: gzip, zstd or plain. */
export async function readLayer(blob: Uint8Array): Promise<LayerEntry[]> {
  const bytes = blob[0] === 0x1f ? gunzipSync(blob) : blob[0] === 0x28 && blob[1] === 0xb5 ? zstdDecompressSync(blob) : blob;
  const entries: LayerEntry[] = [];
  for await (const entry of readTar(oneChunk(bytes))) {
    const path = absolute(entry.name);
    if (entry.type === "link") {
      entries.push({ path, sameAs: absolute(entry.linkPath.toString()) });
      continue;
    }
    const { type, mode, uid, gid, size, device, xattrs, mtime } = entry;
    const hash = createHash("sha256");
    let start = Buffer.alloc(0);
    for await (const chunk of entry.body) {
      hash.update(chunk);
      if (size <= shownBytes) start = Buffer.concat([start, chunk]);
    }
    const inode: Inode = {
      type,
      mode,
      uid,
      gid,
      size,
      content: type === "file" ? hash.digest("hex") : "",
      text: start.toString(),
      target: type === "symlink" ? entry.linkPath.toString() : "",
      device: type === "character" || type === "block" ? `${device.major}:${device.minor}` : "",
      xattrs: Object.fromEntries([...xattrs].map(([key, value]) => [key, value.toString("hex")])),
      mtime: Number(mtime.sec),
    };
    entries.push({ path, inode });
  }
  return entries;
}

/** Puts layers over each other by the rules of the OCI image specification (layer.md, "Applying Changesets"). */
export function flattenLayers(layers: readonly (readonly LayerEntry[])[]): Root {
  const root: Root = new Map();
  for (const layer of layers) {
    const own = new Set<string>();
    for (const entry of layer) {
      const slash = entry.path.lastIndexOf("/");
      const folder = entry.path.slice(0, slash);
      const name = entry.path.slice(slash + 1);
      if (name === ".wh..wh..opq") {
        remove(root, folder, { andItself: false, except: own });
      } else if (name.startsWith(".wh.")) {
        remove(root, `${folder}/${name.slice(4)}`, { andItself: true, except: own });
      } else {
        const inode = "inode" in entry ? entry.inode : root.get(entry.sameAs);
        if (!inode) throw new Error(`${entry.path} is a link to something that is not there`);
        if (inode.type !== "directory") remove(root, entry.path, { andItself: true, except: new Set() });
        root.set(entry.path, inode);
        own.add(entry.path);
      }
    }
  }
  return root;
}

function remove(
  root: Root,
  path: string,
  { andItself, except }: { readonly andItself: boolean; readonly except: ReadonlySet<string> },
): void {
  for (const other of root.keys()) {
    if (except.has(other)) continue;
    if ((andItself && other === path) || other.startsWith(`${path}/`)) root.delete(other);
  }
}

/** `./a/b/` and `a/b` are `/a/b`; the root is `/`. */
function absolute(name: string): string {
  return `/${name
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/")}`;
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
