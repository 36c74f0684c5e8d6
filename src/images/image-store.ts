import type { Digest, Manifest } from "../oci/index.ts";
import type { State } from "../state/index.ts";

export const imagesSchema = `
CREATE TABLE IF NOT EXISTS images (
  id TEXT PRIMARY KEY,     -- digest of the config blob
  layers TEXT,             -- JSON: snapshot ids, bottom first, where unpacked or built here
  manifest TEXT,           -- JSON: the manifest that it was pulled or loaded with
  size INTEGER NOT NULL,   -- bytes of all layers, uncompressed as far as known
  created INTEGER NOT NULL -- when this store made or got it, milliseconds since 1970
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS image_names (name TEXT PRIMARY KEY, id TEXT NOT NULL REFERENCES images (id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS image_digests (
  repository TEXT NOT NULL,
  digest TEXT NOT NULL, -- of the manifest or index that the repository serves
  id TEXT NOT NULL REFERENCES images (id),
  PRIMARY KEY (repository, digest)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS image_indexes ( -- what names are sent as: an index over images of several platforms, or a manifest of its own
  name TEXT PRIMARY KEY,
  digest TEXT NOT NULL, -- of the document
  parts TEXT NOT NULL   -- JSON: digests of all that it is made of, itself too
) WITHOUT ROWID;
`;

export interface ImageRecord {
  readonly id: Digest;
  /** Snapshot ids, bottom first; undefined where the layers exist as blobs only. */
  readonly layers: readonly number[] | undefined;
  readonly manifest: Manifest | undefined;
  readonly sizeBytes: number;
  readonly createdMs: number;
  /** Canonical names with tags. */
  readonly names: readonly string[];
  /** `repository@digest`, canonical. */
  readonly digests: readonly string[];
  /** Blobs of what names of the image are sent as: they are needed for as long as the names are there. */
  readonly indexParts?: readonly Digest[];
}

export interface ImageStore {
  /** Adds an image, or adds what is newly known of one. */
  put(image: {
    readonly id: Digest;
    readonly layers?: readonly number[];
    readonly manifest?: Manifest;
    readonly sizeBytes: number;
  }): void;
  get(id: Digest): ImageRecord | undefined;
  /** By canonical name with tag. */
  byName(name: string): ImageRecord | undefined;
  /** By `repository@digest`, canonical. */
  byDigest(repository: string, digest: string): ImageRecord | undefined;
  /** All whose ID begins with these hex digits. */
  byIdPrefix(hex: string): readonly ImageRecord[];
  /** Newest first. */
  list(): readonly ImageRecord[];
  /** Points a name to an image; another image that had it loses it, and an index too. */
  setName(name: string, id: Digest): void;
  /** Says what a name, which an image has, is sent as: an index, or a manifest that says more than one made anew would. */
  setIndex(name: string, index: ImageIndex): void;
  /** What a name is sent as, where it was said. */
  indexOf(name: string): ImageIndex | undefined;
  removeName(name: string): void;
  addDigest(repository: string, digest: Digest, id: Digest): void;
  /** A layer turned out to be this many bytes larger (or, below zero, smaller) than it was taken for. */
  resizeLayer(layer: number, moreBytes: number): void;
  /** The image has no snapshots any more; its layers are blobs. */
  dropLayers(id: Digest): void;
  /** Forgets an image with all its names. Snapshots and blobs stay: they are cache. */
  delete(id: Digest): void;
  /** As delete, within the caller's transaction. */
  forget(id: Digest): void;
}

/** A document that a name is sent as. */
export interface ImageIndex {
  readonly digest: Digest;
  /** Digests of all blobs that it is made of, its own too. */
  readonly parts: readonly Digest[];
}

interface Row {
  readonly id: Digest;
  readonly layers: string | null;
  readonly manifest: string | null;
  readonly size: number;
  readonly created: number;
}

export function openImages({ state }: { readonly state: State }): ImageStore {
  const complete = (row: Row): ImageRecord => ({
    id: row.id,
    layers: row.layers === null ? undefined : (JSON.parse(row.layers) as number[]),
    manifest: row.manifest === null ? undefined : (JSON.parse(row.manifest) as Manifest),
    sizeBytes: row.size,
    createdMs: row.created,
    names: state.all<{ name: string }>("SELECT name FROM image_names WHERE id = ? ORDER BY name", row.id).map(({ name }) => name),
    digests: state
      .all<{ repository: string; digest: string }>(
        "SELECT repository, digest FROM image_digests WHERE id = ? ORDER BY 1, 2",
        row.id,
      )
      .map(({ repository, digest }) => `${repository}@${digest}`),
    indexParts: state
      .all<{ parts: string }>(
        "SELECT x.parts FROM image_indexes x JOIN image_names n ON n.name = x.name WHERE n.id = ? ORDER BY x.name",
        row.id,
      )
      .flatMap(({ parts }) => JSON.parse(parts) as Digest[]),
  });
  const find = (where: string, ...params: string[]) =>
    state.all<Row>(`SELECT i.* FROM images i ${where}`, ...params).map(complete);
  const forget = (id: Digest): void => {
    state.run("DELETE FROM image_indexes WHERE name IN (SELECT name FROM image_names WHERE id = ?)", id);
    state.run("DELETE FROM image_names WHERE id = ?", id);
    state.run("DELETE FROM image_digests WHERE id = ?", id);
    state.run("DELETE FROM images WHERE id = ?", id);
  };
  return {
    put({ id, layers, manifest, sizeBytes }) {
      state.run(
        `INSERT INTO images (id, layers, manifest, size, created) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET layers = coalesce(excluded.layers, layers), manifest = coalesce(manifest, excluded.manifest)`,
        id,
        layers ? JSON.stringify(layers) : null,
        manifest ? JSON.stringify(manifest) : null,
        sizeBytes,
        Date.now(),
      );
    },
    get: (id) => find("WHERE id = ?", id)[0],
    byName: (name) => find("JOIN image_names n ON n.id = i.id WHERE n.name = ?", name)[0],
    byDigest: (repository, digest) =>
      find("JOIN image_digests d ON d.id = i.id WHERE d.repository = ? AND d.digest = ?", repository, digest)[0],
    byIdPrefix: (hex) => find("WHERE i.id >= ? AND i.id < ?", `sha256:${hex}`, `sha256:${hex}g`),
    list: () => find("ORDER BY created DESC, id"),
    setName(name, id) {
      state.run("DELETE FROM image_indexes WHERE name = ?", name);
      state.run("INSERT OR REPLACE INTO image_names (name, id) VALUES (?, ?)", name, id);
    },
    setIndex: (name, { digest, parts }) =>
      void state.run(
        "INSERT OR REPLACE INTO image_indexes (name, digest, parts) VALUES (?, ?, ?)",
        name,
        digest,
        JSON.stringify(parts),
      ),
    indexOf(name) {
      const row = state.get<{ digest: Digest; parts: string }>("SELECT digest, parts FROM image_indexes WHERE name = ?", name);
      return row && { digest: row.digest, parts: JSON.parse(row.parts) as Digest[] };
    },
    removeName(name) {
      state.run("DELETE FROM image_indexes WHERE name = ?", name);
      state.run("DELETE FROM image_names WHERE name = ?", name);
    },
    addDigest: (repository, digest, id) =>
      void state.run("INSERT OR REPLACE INTO image_digests (repository, digest, id) VALUES (?, ?, ?)", repository, digest, id),
    resizeLayer: (layer, moreBytes) =>
      void state.run(
        "UPDATE images SET size = size + ? WHERE EXISTS (SELECT 1 FROM json_each(images.layers) WHERE value = ?)",
        moreBytes,
        layer,
      ),
    dropLayers: (id) => void state.run("UPDATE images SET layers = NULL WHERE id = ?", id),
    delete: (id) => state.transaction(() => forget(id)),
    forget,
  };
}
