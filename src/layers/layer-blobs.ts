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
  };
}
