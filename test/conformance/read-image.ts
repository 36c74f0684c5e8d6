import { createReadStream } from "node:fs";
import { readTar } from "../../src/tar/index.ts";
import { flattenLayers, readLayer, type LayerEntry, type Root } from "./flatten-layers.ts";

/** An image as an OCI archive has it. */
export interface Image {
  readonly manifest: Document;
  readonly config: Document;
  /** One list for each layer, lowest first. */
  readonly layers: readonly (readonly LayerEntry[])[];
  readonly root: Root;
}

export type Document = Readonly<Record<string, unknown>>;

/** Layers that several images have in common are read once. */
const known = new Map<string, Promise<LayerEntry[]>>();

/** Reads an archive that holds one image for one platform. */
export async function readImage(path: string): Promise<Image> {
  const files = new Map<string, Buffer>();
  for await (const entry of readTar(createReadStream(path, { highWaterMark: 1 << 20 }))) {
    if (entry.type !== "file") continue;
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry.body) chunks.push(chunk);
    files.set(entry.name, Buffer.concat(chunks));
  }
  const blob = (descriptor: unknown): Buffer => {
    const { digest } = descriptor as { digest: string };
    const found = files.get(`blobs/${digest.replace(":", "/")}`);
    if (!found) throw new Error(`${path} has no blob ${digest}`);
    return found;
  };
  const document = (bytes: Buffer | undefined) => JSON.parse((bytes ?? Buffer.alloc(0)).toString()) as Record<string, unknown>;
  let manifest = document(files.get("index.json"));
  while (Array.isArray(manifest["manifests"])) {
    if (manifest["manifests"].length !== 1) throw new Error(`${path} holds ${manifest["manifests"].length} images`);
    manifest = document(blob(manifest["manifests"][0]));
  }
  const layers = await Promise.all(
    ((manifest["layers"] ?? []) as { digest: string }[]).map((descriptor) => {
      const layer = known.get(descriptor.digest) ?? readLayer(blob(descriptor));
      known.set(descriptor.digest, layer);
      return layer;
    }),
  );
  return { manifest, config: document(blob(manifest["config"])), layers, root: flattenLayers(layers) };
}
