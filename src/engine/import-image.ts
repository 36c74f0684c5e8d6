import { decompress } from "../layers/index.ts";
import { hostPlatform, mediaTypes, parsePlatform, type Digest, type ImageConfig } from "../oci/index.ts";
import { changeConfig, keepImage, readImageName } from "./commit-image.ts";
import type { Parts } from "./parts.ts";
import type { ImportOptions } from "./types.ts";

/** Makes an image with one layer of an archive of files. */
export async function importImage(
  parts: Parts,
  source: AsyncIterable<Uint8Array> | { readonly url: string },
  options: ImportOptions & { readonly signal: AbortSignal },
): Promise<Digest> {
  const { message, changes = [], signal } = options;
  const name = options.name === undefined ? undefined : readImageName(options.name);
  const platform =
    options.platform === undefined
      ? hostPlatform(process.arch)
      : parsePlatform(options.platform, { host: hostPlatform(process.arch) });
  using _used = parts.leases.hold();
  const config = await changeConfig({}, changes, { signal });
  const { content, blobs, imageSource } = parts;
  const archive = "url" in source ? await fetchArchive(parts, source.url, signal) : source;
  const { digest, size } = await content.ingest((await decompress(archive, { signal })).content, { signal });
  blobs.add(digest, { mediaType: mediaTypes.ociLayer, digest, size });
  const created = new Date().toISOString();
  const { os, architecture, variant } = platform;
  const image: ImageConfig = {
    created,
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    config,
    rootfs: { type: "layers", diff_ids: [digest] },
    history: [{ created, ...(message === undefined || message === "" ? {} : { comment: message }) }],
  };
  const record = { id: digest, layers: undefined, manifest: undefined, sizeBytes: 0, createdMs: 0, names: [], digests: [] };
  const { layers } = await imageSource.unpackRecord(record, image, { signal });
  return await keepImage(parts, { config: image, layers, name, signal });
}

async function fetchArchive(
  { httpSource, content }: Parts,
  url: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const file = { mode: 0o600, uid: 0, gid: 0, authHeaderSecret: undefined, headers: [] };
  const { digest } = await httpSource.fetch({ ...file, url, checksum: undefined, filename: undefined }, { signal });
  return content.open(digest, { signal });
}
