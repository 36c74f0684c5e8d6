/** Image layouts that pretend to hold a cache mount. */
import { createHash } from "node:crypto";
import { encodeEntry, endOfArchive, type TarHeader } from "../../src/tar/index.ts";
import type { Files } from "./sandbox.ts";

export interface HostileLayout {
  readonly name: string;
  readonly files: Files;
  /** What is said of it. */
  readonly message: RegExp;
}

export function hostileLayouts(): readonly HostileLayout[] {
  const file = { type: "file", mode: 0o644, uid: 0, gid: 0, mtime: { sec: 0n, nsec: 0 } } as const;
  const tar = (...headers: readonly TarHeader[]) => Buffer.concat([...headers.map(encodeEntry), endOfArchive]);
  const good = tar({ ...file, path: "f" });
  const climbing = tar({ ...file, path: "../../../evil" });
  const overLink = tar(
    { ...file, type: "symlink", path: "out", linkPath: "../../.." },
    { ...file, path: "out/evil" },
    { ...file, type: "link", path: "x", linkPath: "../../../state.db" },
  );
  const about = { id: "/hostile" };
  return [
    { name: "climbing", files: layout(climbing, about), message: /climbs out of the folder/ },
    { name: "link", files: layout(overLink, about), message: /climbs out of|LAYER_/ },
    { name: "noise", files: layout(Buffer.from("no archive at all"), about), message: /\[CACHE_MOUNT_INVALID\]/ },
    { name: "cut", files: layout(good.subarray(0, 700), { ...about }), message: /\[(TAR_\w+|CACHE_MOUNT_INVALID)\]/ },
    { name: "owner", files: layout(good, { ...about, owner: "root:root" }), message: /\[CACHE_MOUNT_INVALID\]/ },
    { name: "mode", files: layout(good, { ...about, mode: "99999" }), message: /\[CACHE_MOUNT_INVALID\]/ },
    { name: "nameless", files: layout(good, {}), message: /holds no cache mounts \[CACHE_MOUNT_INVALID\]/ },
    { name: "lying", files: lying(layout(good, about)), message: /\[CONTENT_(DIGEST|SIZE)_MISMATCH\]/ },
    { name: "empty", files: { "index.json": "{}" }, message: /\[IMAGE_INVALID\]/ },
  ];
}

function layout(layer: Buffer, facts: Readonly<Record<string, string>>): Files {
  const files: Record<string, string | Buffer> = { "oci-layout": '{"imageLayoutVersion":"1.0.0"}' };
  const add = (mediaType: string, content: Buffer, more = {}) => {
    const hex = createHash("sha256").update(content).digest("hex");
    files[`blobs/sha256/${hex}`] = content;
    return { mediaType, digest: `sha256:${hex}`, size: content.length, ...more };
  };
  const annotations = Object.fromEntries(Object.entries(facts).map(([key, value]) => [`dev.varve.cache-mount.${key}`, value]));
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: add("application/vnd.oci.empty.v1+json", Buffer.from("{}")),
    layers: [add("application/vnd.oci.image.layer.v1.tar", layer, { annotations })],
  };
  const descriptor = add(manifest.mediaType, Buffer.from(JSON.stringify(manifest)));
  files["index.json"] = JSON.stringify({ schemaVersion: 2, manifests: [descriptor] });
  return files;
}

/** The same layout with other bytes in every blob that is a tar. */
function lying(files: Files): Files {
  return Object.fromEntries(
    Object.entries(files).map(([path, content]) => {
      if (typeof content === "string" || content[0] === 0x7b) return [path, content];
      const other = Buffer.from(content);
      other.write("g", 0);
      return [path, other];
    }),
  );
}
