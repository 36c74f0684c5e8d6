import { existsSync, renameSync } from "node:fs";
import type { Descriptor, Digest } from "../oci/index.ts";
import { bootId, processOwner, type Leases, type State } from "../state/index.ts";

export const awayLayersSchema = `
CREATE TABLE IF NOT EXISTS away_snapshots ( -- complete, but without files: the layer stays in its registry until somebody needs it
  id INTEGER PRIMARY KEY,
  repository TEXT NOT NULL, -- where the blob is
  media_type TEXT NOT NULL,
  digest TEXT NOT NULL,
  size INTEGER NOT NULL -- bytes of the blob
);
`;

/** A layer whose files are not here, and where they are had. */
export interface AwayLayer {
  readonly id: number;
  /** The stack that it belongs on. */
  readonly base: readonly number[];
  readonly chainId: Digest;
  readonly diffId: Digest;
  /** Canonical reference of a repository that has the blob. */
  readonly repository: string;
  readonly blob: Descriptor;
}

/** Snapshots that are known by their layer alone. They are as good as any other until somebody reads their files. */
export interface AwayLayers {
  /** A snapshot without files, claimed. Its `diffSize` is the blob's size until the files are here. */
  addAway(layer: Omit<AwayLayer, "id">): number;
  /** Those of the snapshots that have no files, in the order of the ids. */
  awayAmong(ids: readonly number[]): readonly AwayLayer[];
  /** Where a blob is had that some snapshot lacks. */
  awayBlob(digest: Digest): Pick<AwayLayer, "repository" | "blob" | "diffId"> | undefined;
  /**
   * Gives a snapshot the files that another one in the making got, which is used up. False where somebody else was faster: the other
   * one is the caller's still.
   */
  fill(id: number, made: { readonly id: number; readonly path: string }, diffSize: number): boolean;
}

interface Row {
  readonly id: number;
  readonly base: string;
  readonly chain_id: Digest;
  readonly diff_id: Digest;
  readonly repository: string;
  readonly media_type: string;
  readonly digest: Digest;
  readonly size: number;
}

export function openAwayLayers({
  state,
  leases,
  pathOf,
  thingOf,
}: {
  readonly state: State;
  readonly leases: Leases;
  readonly pathOf: (id: number) => string;
  readonly thingOf: (id: number) => string;
}): AwayLayers {
  return {
    addAway({ base, chainId, diffId, repository, blob }) {
      const insert = "INSERT INTO snapshots (base, owner, chain_id, diff_id, diff_size, created) VALUES (?, ?, ?, ?, ?, ?)";
      const row = [JSON.stringify(base), processOwner(), chainId, diffId, blob.size, Date.now()] as const;
      let { lastId: id } = state.run(insert, ...row);
      // a machine that lost its power may remember a folder whose row it has forgotten
      while (existsSync(pathOf(id))) {
        state.run("DELETE FROM snapshots WHERE id = ?", id);
        ({ lastId: id } = state.run(insert, ...row));
      }
      const away = "INSERT INTO away_snapshots (id, repository, media_type, digest, size) VALUES (?, ?, ?, ?, ?)";
      state.run(away, id, repository, blob.mediaType, blob.digest, blob.size);
      leases.claim([thingOf(id)], () => state.run("UPDATE snapshots SET owner = NULL WHERE id = ?", id).changes > 0);
      return id;
    },
    awayAmong(ids) {
      if (ids.length === 0) return [];
      const rows = state.all<Row>(
        `SELECT s.id, s.base, s.chain_id, s.diff_id, a.repository, a.media_type, a.digest, a.size
         FROM json_each(?) i JOIN away_snapshots a ON a.id = i.value JOIN snapshots s ON s.id = a.id ORDER BY i.key`,
        JSON.stringify(ids),
      );
      return [...new Map(rows.map((row) => [row.id, fromRow(row)])).values()];
    },
    awayBlob(digest) {
      const row = state.get<Pick<Row, "repository" | "diff_id" | "media_type" | "digest" | "size">>(
        `SELECT s.diff_id, a.repository, a.media_type, a.digest, a.size
         FROM away_snapshots a JOIN snapshots s ON s.id = a.id WHERE a.digest = ?`,
        digest,
      );
      return row && { repository: row.repository, diffId: row.diff_id, blob: blobOf(row) };
    },
    fill(id, made, diffSize) {
      // before the files have their place: after a power loss the snapshot must count as unsure
      state.run("INSERT INTO unsynced_snapshots (id, boot) VALUES (?, ?)", id, bootId());
      try {
        renameSync(made.path, pathOf(id));
      } catch (error) {
        const { code = "" } = error as NodeJS.ErrnoException;
        if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
        settle();
        return false;
      }
      settle();
      state.run("DELETE FROM snapshots WHERE id = ?", made.id);
      return true;

      function settle(): void {
        state.transaction(() => {
          state.run("DELETE FROM away_snapshots WHERE id = ?", id);
          state.run("UPDATE snapshots SET diff_size = ? WHERE id = ?", diffSize, id);
        });
      }
    },
  };
}

function fromRow(row: Row): AwayLayer {
  const { id, base, chain_id: chainId, diff_id: diffId, repository } = row;
  return { id, base: JSON.parse(base) as number[], chainId, diffId, repository, blob: blobOf(row) };
}

function blobOf({ media_type: mediaType, digest, size }: Pick<Row, "media_type" | "digest" | "size">): Descriptor {
  return { mediaType, digest, size };
}
