import type { Digest, Descriptor } from "../oci/index.ts";
import type { State } from "../state/index.ts";

export const layersSchema = `
CREATE TABLE IF NOT EXISTS layer_blobs (
  diff_id TEXT NOT NULL,
  media_type TEXT NOT NULL,
  digest TEXT NOT NULL,
  size INTEGER NOT NULL, -- bytes of the blob
  PRIMARY KEY (diff_id, media_type)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS packed_layers ( -- blobs that this store made
  diff_id TEXT NOT NULL,
  setting TEXT NOT NULL, -- compression, level and library: what the bytes hang on
  media_type TEXT NOT NULL,
  digest TEXT NOT NULL,
  size INTEGER NOT NULL,
  members BLOB,          -- what a compressed blob is made of
  created INTEGER NOT NULL, -- milliseconds since 1970
  PRIMARY KEY (diff_id, setting)
);
CREATE INDEX IF NOT EXISTS packed_layers_by_digest ON packed_layers (digest);
`;

/** Which blobs hold which layers: one layer may exist in several compressions. */
export interface LayerBlobs {
  /** All blobs of a layer, in no order. */
  of(diffId: Digest): readonly Descriptor[];
  /** Remembers a blob that came from elsewhere. */
  add(diffId: Digest, blob: Descriptor): void;
  /** The blob that this store packed of a layer, with these settings. */
  packed(diffId: Digest, setting: string): Descriptor | undefined;
  /** The blobs of a layer that came from elsewhere: of base images, of caches. */
  cameAs(diffId: Digest): readonly Descriptor[];
  /** Remembers a blob that this store packed. */
  addPacked(diffId: Digest, setting: string, blob: Descriptor & { readonly members?: Uint8Array | undefined }): void;
  /** The blobs that were packed last with these settings, newest first, and their members. */
  recentMembers(setting: string): readonly { readonly digest: Digest; readonly members: Uint8Array }[];
  /** Every blob that holds a layer. */
  list(): readonly { readonly diffId: Digest; readonly digest: Digest }[];
  /** Forgets blobs that are gone. */
  forget(digests: readonly Digest[]): void;
}

/** Blobs whose members are offered to a new one, and how long the list of one may be: 1 MiB is a layer of 6 to 18 GB. */
const maxRecent = 12;
const maxMembersBytes = 1 << 20;

export function openLayerBlobs({ state }: { readonly state: State }): LayerBlobs {
  const read = (sql: string, diffId: Digest): Descriptor[] =>
    state
      .all<{ media_type: string; digest: Digest; size: number }>(sql, diffId)
      .map(({ media_type: mediaType, digest, size }) => ({ mediaType, digest, size }));
  return {
    of: (diffId) =>
      read(
        "SELECT media_type, digest, size FROM layer_blobs WHERE diff_id = ?1 UNION SELECT media_type, digest, size FROM packed_layers WHERE diff_id = ?1",
        diffId,
      ),
    add: (diffId, { mediaType, digest, size }) =>
      void state.run(
        "INSERT OR REPLACE INTO layer_blobs (diff_id, media_type, digest, size) VALUES (?, ?, ?, ?)",
        diffId,
        mediaType,
        digest,
        size,
      ),
    list: () =>
      state
        .all<{ diff_id: Digest; digest: Digest }>(
          "SELECT diff_id, digest FROM layer_blobs UNION SELECT diff_id, digest FROM packed_layers",
        )
        .map(({ diff_id: diffId, digest }) => ({ diffId, digest })),
    packed(diffId, setting) {
      const row = state.get<{ media_type: string; digest: Digest; size: number }>(
        "SELECT media_type, digest, size FROM packed_layers WHERE diff_id = ? AND setting = ?",
        diffId,
        setting,
      );
      return row && { mediaType: row.media_type, digest: row.digest, size: row.size };
    },
    cameAs: (diffId) => read("SELECT media_type, digest, size FROM layer_blobs WHERE diff_id = ?", diffId),
    addPacked(diffId, setting, { mediaType, digest, size, members }) {
      state.run(
        "INSERT OR REPLACE INTO packed_layers (diff_id, setting, media_type, digest, size, members, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
        diffId,
        setting,
        mediaType,
        digest,
        size,
        members ?? null,
        Date.now(),
      );
    },
    recentMembers: (setting) =>
      state.all<{ digest: Digest; members: Uint8Array }>(
        "SELECT digest, members FROM packed_layers WHERE setting = ? AND members IS NOT NULL AND length(members) < ? ORDER BY created DESC LIMIT ?",
        setting,
        maxMembersBytes,
        maxRecent,
      ),
    forget(digests) {
      const gone = JSON.stringify(digests);
      state.run("DELETE FROM layer_blobs WHERE digest IN (SELECT value FROM json_each(?))", gone);
      state.run("DELETE FROM packed_layers WHERE digest IN (SELECT value FROM json_each(?))", gone);
    },
  };
}
