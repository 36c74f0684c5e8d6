/** Reads archives with GNU tar, which is none of ours, and images by their documents. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { gunzipSync, zstdDecompressSync } from "node:zlib";

const limits = { maxBuffer: 1 << 30 };

/** Names of an archive's entries as tar lists them. */
export function listArchive(archive: Buffer): readonly string[] {
  return execFileSync("tar", ["-t"], { input: archive, ...limits })
    .toString()
    .split("\n")
    .filter((line) => line !== "");
}

/** One line each: mode, owner, size, time, name. */
export function describeArchive(archive: Buffer): readonly string[] {
  const args = ["-tv", "--numeric-owner", "--full-time", "--utc"];
  return execFileSync("tar", args, { input: archive, ...limits })
    .toString()
    .split("\n")
    .filter((line) => line !== "");
}

export function readEntry(archive: Buffer, name: string): Buffer {
  return execFileSync("tar", ["-xO", name], { input: archive, ...limits });
}

export const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ImageInArchive {
  readonly descriptor: Descriptor;
  readonly config: {
    readonly [key: string]: unknown;
    readonly config: Readonly<Record<string, unknown>>;
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
  readonly configDigest: string;
  /** Uncompressed, lowest first. */
  readonly layers: readonly Buffer[];
}

/** The first image of an OCI layout in an archive; every digest and size on the way is checked. */
export function readOciArchive(archive: Buffer): ImageInArchive {
  const blob = ({ digest, size }: Descriptor): Buffer => {
    const bytes = readEntry(archive, `blobs/${digest.replace(":", "/")}`);
    if (digestOf(bytes) !== digest || bytes.length !== size)
      throw new Error(`the blob ${digest} is not what its descriptor says`);
    return bytes;
  };
  const parse = <T>(bytes: Buffer): T => JSON.parse(bytes.toString()) as T;
  const layout = parse<{ imageLayoutVersion: string }>(readEntry(archive, "oci-layout"));
  if (layout.imageLayoutVersion !== "1.0.0") throw new Error(`a layout of version ${layout.imageLayoutVersion}`);
  const [descriptor] = parse<{ manifests: readonly Descriptor[] }>(readEntry(archive, "index.json")).manifests;
  if (descriptor === undefined) throw new Error("the index names no image");
  const manifest = parse<{ config: Descriptor; layers: readonly Descriptor[] }>(blob(descriptor));
  const config = parse<ImageInArchive["config"]>(blob(manifest.config));
  const unpack = (layer: Descriptor) => {
    const bytes = blob(layer);
    if (layer.mediaType.endsWith("+gzip")) return gunzipSync(bytes);
    return layer.mediaType.endsWith("+zstd") ? zstdDecompressSync(bytes) : bytes;
  };
  const layers = manifest.layers.map(unpack);
  const diffIds = layers.map(digestOf);
  if (diffIds.join() !== config.rootfs.diff_ids.join()) throw new Error("the diff IDs are not the layers' digests");
  return { descriptor, config, configDigest: manifest.config.digest, layers };
}
