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
`;

/** Which blobs hold which layers: one layer may exist in several compressions. */
export interface LayerBlobs {
  /** All blobs of a layer, in no order. */
  of(diffId: Digest): readonly Descriptor[];
  add(diffId: Digest, blob: Descriptor): void;
  /** Every blob that holds a layer. */
  list(): readonly { readonly diffId: Digest; readonly digest: Digest }[];
  /** Forgets blobs that are gone. */
  forget(digests: readonly Digest[]): void;
}

export function openLayerBlobs({ state }: { readonly state: State }): LayerBlobs {
  return {
    of: (diffId) =>
      state
        .all<{ media_type: string; digest: Digest; size: number }>(
          "SELECT media_type, digest, size FROM layer_blobs WHERE diff_id = ?",
          diffId,
        )
        .map(({ media_type: mediaType, digest, size }) => ({ mediaType, digest, size })),
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
        .all<{ diff_id: Digest; digest: Digest }>("SELECT diff_id, digest FROM layer_blobs")
        .map(({ diff_id: diffId, digest }) => ({ diffId, digest })),
    forget: (digests) =>
      void state.run("DELETE FROM layer_blobs WHERE digest IN (SELECT value FROM json_each(?))", JSON.stringify(digests)),
  };
}
