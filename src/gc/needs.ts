import { familiarReference, parseReference } from "../oci/index.ts";
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

/** Things that a snapshot means nothing without. */
export type Foundations = (snapshot: ListedSnapshot) => readonly string[];

/**
 * What each snapshot stands on: those below it, and the blob that it came from. Another tool's tar cannot be made again of
 * its files, and an export would lack it.
 */
export function readFoundations({ snapshots, blobs }: Pick<StoreRooms, "snapshots" | "blobs">): Foundations {
  const own = snapshots.listOwnLayers();
  const blobsOf = Map.groupBy(blobs.list(), ({ diffId }) => diffId as string);
  return ({ base, diffId }) => [
    ...base.map(snapshotThing),
    ...(diffId === undefined || own.has(diffId) ? [] : (blobsOf.get(diffId) ?? []).map(({ digest }) => `blob/${digest}`)),
  ];
}

/** Everything that an image needs, as a function of the image. */
export function createImageNeeds(
  listed: readonly ListedSnapshot[],
  foundations: Foundations,
): (image: ImageRecord) => ReadonlySet<string> {
  const addSnapshot = createClosure(listed, foundations);
  return (image) => {
    const { layers: ids = [], manifest, digests, indexParts = [] } = image;
    const things = new Set<string>();
    for (const id of ids) addSnapshot(things, snapshotThing(id));
    for (const digest of [image.id, manifest?.config.digest, ...(manifest?.layers ?? []).map((layer) => layer.digest)])
      if (digest !== undefined) things.add(`blob/${digest}`);
    for (const digest of indexParts) things.add(`blob/${digest}`);
    for (const name of digests) things.add(`blob/${name.slice(name.indexOf("@") + 1)}`);
    return things;
  };
}

function createClosure(
  listed: readonly ListedSnapshot[],
  foundations: Foundations,
): (things: Set<string>, thing: string) => void {
  const byThing = new Map(listed.map((snapshot) => [snapshotThing(snapshot.id), snapshot]));
  return function add(things, thing) {
    if (things.has(thing)) return;
    things.add(thing);
    const snapshot = byThing.get(thing);
    if (snapshot) for (const below of foundations(snapshot)) add(things, below);
  };
}

/**
 * Reads who needs what, at this moment: images need their layers, configs and manifests; living leases what they claim;
 * snapshots in the making and containers what they stand on. What something is made on is needed with it.
 */
export function readNeeds(
  rooms: Pick<StoreRooms, "leases" | "images" | "snapshots" | "blobs" | "usedSnapshots">,
  listed: readonly ListedSnapshot[],
): Needs {
  const foundations = readFoundations(rooms);
  const needsOf = createImageNeeds(listed, foundations);
  const forImages = new Map<string, string>();
  for (const image of rooms.images.list()) {
    const who = nameImage(image);
    for (const thing of needsOf(image)) if (!forImages.has(thing)) forImages.set(thing, who);
  }
  const addThing = createClosure(listed, foundations);
  const used = new Set<string>();
  const held = new Map<string, string>();
  for (const [id, name] of rooms.usedSnapshots()) {
    const things = new Set<string>();
    addThing(things, snapshotThing(id));
    for (const thing of things) held.set(thing, `the container ${name}`);
  }
  for (const { id, owner } of listed) if (owner !== undefined && isOwnerAlive(owner)) addThing(used, snapshotThing(id));
  for (const thing of rooms.leases.claimed()) addThing(used, thing);
  return { images: forImages, running: new Map([...held, ...[...used].map((thing) => [thing, "a running build"] as const)]) };
}

function nameImage({ id, names }: ImageRecord): string {
  const [name] = names;
  if (name === undefined) return `the untagged image ${id.slice("sha256:".length, "sha256:".length + 12)}`;
  return `the image ${familiarReference(parseReference(name))}`;
}
