import { formatReference, parseReference, familiarReference } from "../oci/index.ts";
import type { ImageRecord } from "../images/index.ts";
import { snapshotThing, type ListedSnapshot } from "../snapshots/index.ts";
import { isOwnerAlive } from "../state/index.ts";
import type { StoreRooms } from "./rooms.ts";

/** What may not go, by its thing, and for whom it stays. */
export interface Needs {
  /** Images of the store: their files stay. */
  readonly images: ReadonlyMap<string, string>;
  /** Running work: it can neither go nor be forgotten. */
  readonly running: ReadonlyMap<string, string>;
}

/**
 * Reads who needs what, at this moment: images need their layers, configs and manifests; living leases what they claim;
 * snapshots in the making what they stand on. What something is made on is needed with it.
 */
export function readNeeds({ leases, images }: Pick<StoreRooms, "leases" | "images">, listed: readonly ListedSnapshot[]): Needs {
  const bases = new Map(listed.map(({ id, base }) => [id, base]));
  const forImages = new Map<string, string>();
  const forWork = new Map<string, string>();
  const keep = (needs: Map<string, string>, id: number, who: string): void => {
    const thing = snapshotThing(id);
    if (needs.has(thing)) return;
    needs.set(thing, who);
    for (const below of bases.get(id) ?? []) keep(needs, below, who);
  };
  for (const image of images.list()) {
    const who = nameImage(image);
    for (const id of image.layers ?? []) keep(forImages, id, who);
    const { config, layers = [] } = image.manifest ?? {};
    for (const digest of [image.id, config?.digest, ...layers.map((layer) => layer.digest)])
      if (digest !== undefined) forImages.set(`blob/${digest}`, who);
    for (const name of image.digests) forImages.set(`blob/${name.slice(name.indexOf("@") + 1)}`, who);
  }
  for (const { id, owner } of listed) if (owner !== undefined && isOwnerAlive(owner)) keep(forWork, id, "a running build");
  for (const thing of leases.claimed()) {
    if (thing.startsWith("snapshot/")) keep(forWork, Number(thing.slice("snapshot/".length)), "a running build");
    else forWork.set(thing, "a running build");
  }
  return { images: forImages, running: forWork };
}

function nameImage({ id, names }: ImageRecord): string {
  const [name] = names;
  if (name === undefined) return `the untagged image ${id.slice("sha256:".length, 19)}`;
  return `the image ${familiarReference(parseReference(formatReference(parseReference(name))))}`;
}
