import type { Digest } from "../oci/index.ts";
import type { State } from "../state/index.ts";

export const blobPlacesSchema = `
CREATE TABLE IF NOT EXISTS blob_places ( -- repositories that have a blob: where it came from, or was sent to
  digest TEXT NOT NULL,
  domain TEXT NOT NULL,
  repository TEXT NOT NULL, -- without the domain
  seen INTEGER NOT NULL,    -- milliseconds since 1970
  PRIMARY KEY (digest, domain, repository)
) WITHOUT ROWID;
`;

/** Which repositories have been seen to have which blobs: a push takes from there what it need not send. */
export interface BlobPlaces {
  add(digests: readonly Digest[], place: Repository): void;
  /** Repositories of a registry that had the blob, the last seen first. They may have lost it since. */
  of(digest: Digest, domain: string): readonly string[];
}

/** As in an image's reference. */
export interface Repository {
  readonly domain: string;
  readonly path: string;
}

/** What was not seen for this long is forgotten. */
const keptMs = 90 * 24 * 60 * 60 * 1000;
const maxPlaces = 4;

export function openBlobPlaces({ state }: { readonly state: State }): BlobPlaces {
  let swept = false;
  return {
    add(digests, { domain, path }) {
      const now = Date.now();
      state.transaction(() => {
        for (const digest of digests) {
          state.run(
            "INSERT OR REPLACE INTO blob_places (digest, domain, repository, seen) VALUES (?, ?, ?, ?)",
            digest,
            domain,
            path,
            now,
          );
        }
        if (!swept) state.run("DELETE FROM blob_places WHERE seen < ?", now - keptMs);
        swept = true;
      });
    },
    of: (digest, domain) =>
      state
        .all<{ repository: string }>(
          "SELECT repository FROM blob_places WHERE digest = ? AND domain = ? ORDER BY seen DESC, repository LIMIT ?",
          digest,
          domain,
          maxPlaces,
        )
        .map(({ repository }) => repository),
  };
}
