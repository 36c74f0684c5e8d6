import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { bootId, isOwnerAlive, openLeases, processOwner, type Leases, type State } from "../state/index.ts";
import { awayLayersSchema, openAwayLayers, type AwayLayers } from "./away-layers.ts";

export const snapshotsSchema = `
CREATE TABLE IF NOT EXISTS snapshots (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  base TEXT NOT NULL,      -- JSON: ids of the stack below, bottom first
  owner TEXT,              -- process that is making it; NULL once it is complete
  chain_id TEXT,           -- OCI chain ID of the whole stack up to here, where known
  diff_id TEXT,            -- digest of the layer's tar, where known
  diff_size INTEGER,       -- bytes of that tar
  created INTEGER NOT NULL -- milliseconds since 1970
);
CREATE INDEX IF NOT EXISTS snapshots_by_chain ON snapshots (chain_id);
CREATE TABLE IF NOT EXISTS snapshot_parts ( -- snapshots that hold only what differs from another one
  id INTEGER PRIMARY KEY,
  under INTEGER NOT NULL -- the snapshot whose files show where this one has none
);
CREATE TABLE IF NOT EXISTS snapshot_origins ( -- whole snapshots that a later one may be made from
  origin TEXT PRIMARY KEY, -- digest of the step and of the place of its files
  id INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unsynced_snapshots ( -- complete, but perhaps only in memory
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id INTEGER NOT NULL,
  boot TEXT NOT NULL -- of the machine: see bootId
);
CREATE TABLE IF NOT EXISTS own_layers (diff_id TEXT PRIMARY KEY) WITHOUT ROWID; -- tars that packing here makes again
${awayLayersSchema}`;

/** A complete, immutable snapshot. Its files are here, but for those of {@link AwayLayers}. */
export interface Snapshot {
  readonly id: number;
  /** The stack that it was made on. Its content means something on this stack, or one with the same files. */
  readonly base: readonly number[];
  readonly chainId: string | undefined;
  readonly diffId: string | undefined;
  /** Size of the layer's tar in bytes, known with `diffId`. */
  readonly diffSize: number | undefined;
}

/** A snapshot in the making. Its folder holds `fs` (the upper folder) and `work`; the worker makes both. */
export interface ActiveSnapshot {
  readonly id: number;
  readonly path: string;
  /** From now on others may use it. A crash of this process keeps it; one of the machine only once it is synced. */
  commit(known?: { readonly chainId?: string; readonly diffId?: string; readonly diffSize?: number }): Snapshot;
  /** Gives it up. The caller has the worker delete the folder. */
  discard(): void;
}

export interface SnapshotStore extends AwayLayers {
  /** With `under` it takes only what differs from that snapshot, which has the same base and stays for as long. */
  create(base: readonly number[], options?: { readonly under?: number }): ActiveSnapshot;
  get(id: number): Snapshot | undefined;
  /** Whether all these snapshots are there; if so, the lease of this process keeps them from being removed. */
  claim(ids: readonly number[]): boolean;
  /** A snapshot with this chain ID, claimed; one whose files are here before one whose are not. */
  findByChain(chainId: string): Snapshot | undefined;
  /** All rows, of unfinished snapshots too, by id; what a snapshot differs from counts to its base. */
  list(): readonly ListedSnapshot[];
  /** Deletes rows: call it in a transaction, after a look at all claims. Their folders are deleted after it. */
  forget(ids: readonly number[]): void;
  /** Folders of snapshots without a row: whoever deleted the row died before the folder. */
  listOrphans(): readonly string[];
  /** Diff IDs of layers that packing made: their blobs can be made again. */
  listOwnLayers(): ReadonlySet<string>;
  /** Absolute path of the folder of a snapshot, with all that belongs to it. */
  pathOf(id: number): string;
  /** Remembers what packing found out. */
  setLayer(id: number, layer: { readonly chainId?: string; readonly diffId: string; readonly diffSize: number }): void;
  /** Absolute path of the upper folder of a snapshot; of one with parts, the topmost. */
  fsPath(id: number): string;
  /** The folders that make these snapshots, bottom first: one each, or two where it was made from another one. */
  fsPaths(ids: readonly number[]): string[];
  /** The snapshot that a step's result can be made from by changing what differs, claimed. */
  findOrigin(origin: string): Snapshot | undefined;
  setOrigin(origin: string, id: number): void;
  /**
   * Complete snapshots whose files may not have reached the disk before the machine went down, and all that stand on them. Ask
   * before anything is claimed.
   */
  listUnsure(): readonly number[];
  /** There are none any more: the caller forgot them. */
  settleUnsure(): void;
  /** The number of the last snapshot that waits for the disk, for {@link SnapshotStore.markSynced}; undefined when none does. */
  lastUnsynced(): number | undefined;
  /** Everything up to this number is on the disk. */
  markSynced(number: number): void;
  /** Folders of snapshots whose maker died before it was done; they are nobody's and may be deleted. Their rows are gone. */
  takeAbandoned(): readonly string[];
}

/** What is known of a snapshot without looking into it. */
export interface ListedSnapshot extends Snapshot {
  readonly createdMs: number;
  /** The process that is making it; undefined once it is complete. */
  readonly owner: string | undefined;
  /** Its files are not here. */
  readonly isAway: boolean;
}

/** The name of a snapshot in leases and uses. */
export function snapshotThing(id: number): string {
  return `snapshot/${id}`;
}

interface Row {
  readonly id: number;
  readonly base: string;
  readonly chain_id: string | null;
  readonly diff_id: string | null;
  readonly diff_size: number | null;
}

/** The snapshots of a store folder: rows in the state database, folders under `root/snapshots/ID`. */
export function openSnapshots({
  state,
  root,
  leases = openLeases({ state }),
}: {
  readonly state: State;
  readonly root: string;
  readonly leases?: Leases;
}): SnapshotStore {
  const folder = join(root, "snapshots");
  const pathOf = (id: number) => join(folder, String(id));
  const columns = "id, base, chain_id, diff_id, diff_size";
  const get = (id: number) => toSnapshot(state.get<Row>(`SELECT ${columns} FROM snapshots WHERE id = ? AND owner IS NULL`, id));
  const claim = (ids: readonly number[]) => leases.claim(ids.map(snapshotThing), () => ids.every((id) => get(id) !== undefined));
  const forget = (ids: readonly number[]): void => {
    state.run("DELETE FROM snapshots WHERE id IN (SELECT value FROM json_each(?))", JSON.stringify(ids));
    state.run("DELETE FROM snapshot_parts WHERE id NOT IN (SELECT id FROM snapshots)");
    state.run("DELETE FROM snapshot_origins WHERE id NOT IN (SELECT id FROM snapshots)");
    state.run("DELETE FROM away_snapshots WHERE id NOT IN (SELECT id FROM snapshots)");
  };
  const underOf = (id: number) => state.get<{ under: number }>("SELECT under FROM snapshot_parts WHERE id = ?", id)?.under;
  return {
    ...openAwayLayers({ state, leases, pathOf, thingOf: snapshotThing }),
    create(base, { under } = {}) {
      const insert = "INSERT INTO snapshots (base, owner, created) VALUES (?, ?, ?)";
      const row = [JSON.stringify(base), processOwner(), Date.now()] as const;
      let { lastId: id } = state.run(insert, ...row);
      // a machine that lost its power may remember a folder whose row it has forgotten
      while (existsSync(pathOf(id))) {
        state.run("DELETE FROM snapshots WHERE id = ?", id);
        ({ lastId: id } = state.run(insert, ...row));
      }
      if (under !== undefined) state.run("INSERT INTO snapshot_parts (id, under) VALUES (?, ?)", id, under);
      return {
        id,
        path: pathOf(id),
        commit(known = {}) {
          const facts = [known.chainId ?? null, known.diffId ?? null, known.diffSize ?? null] as const;
          const sql = "UPDATE snapshots SET owner = NULL, chain_id = ?, diff_id = ?, diff_size = ? WHERE id = ?";
          state.run("INSERT INTO unsynced_snapshots (id, boot) VALUES (?, ?)", id, bootId());
          // in one transaction, so that nobody sees it as complete and used by none
          leases.claim([snapshotThing(id)], () => state.run(sql, ...facts, id).changes > 0);
          return { id, base, chainId: known.chainId, diffId: known.diffId, diffSize: known.diffSize };
        },
        discard: () => forget([id]),
      };
    },
    get,
    claim,
    findByChain(chainId) {
      const isAway = "id IN (SELECT id FROM away_snapshots)";
      const sql = `SELECT ${columns} FROM snapshots WHERE chain_id = ? AND owner IS NULL ORDER BY ${isAway}, id`;
      return state
        .all<Row>(sql, chainId)
        .map(toSnapshot)
        .find((found) => found !== undefined && claim([found.id]));
    },
    list: () =>
      state
        .all<Row & { owner: string | null; created: number; away: number }>(
          `SELECT ${columns}, owner, created, id IN (SELECT id FROM away_snapshots) AS away FROM snapshots ORDER BY id`,
        )
        .map((row) => {
          const { base, ...facts } = fromRow(row);
          const under = underOf(row.id) ?? [];
          return {
            ...facts,
            base: base.concat(under),
            createdMs: row.created,
            owner: row.owner ?? undefined,
            isAway: row.away === 1,
          };
        }),
    forget,
    listOrphans() {
      // folders first: a folder is made after its row
      const folders = existsSync(folder) ? readdirSync(folder).filter((name) => /^\d+$/.test(name)) : [];
      const known = new Set(state.all<{ id: number }>("SELECT id FROM snapshots").map(({ id }) => String(id)));
      return folders.filter((name) => !known.has(name)).map((name) => join(folder, name));
    },
    listOwnLayers: () =>
      new Set(state.all<{ diff_id: string }>("SELECT diff_id FROM own_layers").map(({ diff_id: diffId }) => diffId)),
    pathOf,
    setLayer(id, { chainId, diffId, diffSize }) {
      const known = get(id);
      const isKnown = known?.diffId === diffId && known.diffSize === diffSize && (chainId ?? known.chainId) === known.chainId;
      if (isKnown) return;
      // a layer that came as a tar has its digest from the beginning, and only that tar has it
      state.run("INSERT OR IGNORE INTO own_layers SELECT ? FROM snapshots WHERE id = ? AND diff_id IS NULL", diffId, id);
      state.run(
        "UPDATE snapshots SET diff_id = ?, diff_size = ?, chain_id = coalesce(?, chain_id) WHERE id = ?",
        diffId,
        diffSize,
        chainId ?? null,
        id,
      );
    },
    fsPath: (id) => join(pathOf(id), "fs"),
    fsPaths: (ids) =>
      ids.flatMap((id) => {
        const under = underOf(id);
        return (under === undefined ? [id] : [under, id]).map((part) => join(pathOf(part), "fs"));
      }),
    findOrigin(origin) {
      const row = state.get<{ id: number }>("SELECT id FROM snapshot_origins WHERE origin = ?", origin);
      return row && claim([row.id]) ? get(row.id) : undefined;
    },
    setOrigin: (origin, id) => void state.run("INSERT OR REPLACE INTO snapshot_origins (origin, id) VALUES (?, ?)", origin, id),
    listUnsure() {
      const rows = state.all<{ id: number }>("SELECT id FROM unsynced_snapshots WHERE boot <> ?", bootId());
      if (rows.length === 0) return [];
      const unsure = new Set(rows.map(({ id }) => id));
      const listed = state.all<{ id: number; base: string }>("SELECT id, base FROM snapshots WHERE owner IS NULL ORDER BY id");
      // what a snapshot stands on is older than itself
      for (const { id, base } of listed) {
        const under = underOf(id);
        const below = [...(JSON.parse(base) as number[]), ...(under === undefined ? [] : [under])];
        if (below.some((one) => unsure.has(one))) unsure.add(id);
      }
      return listed.map(({ id }) => id).filter((id) => unsure.has(id));
    },
    settleUnsure: () => void state.run("DELETE FROM unsynced_snapshots WHERE boot <> ?", bootId()),
    lastUnsynced: () =>
      state.get<{ last: number | null }>("SELECT max(number) AS last FROM unsynced_snapshots")?.last ?? undefined,
    markSynced: (number) => void state.run("DELETE FROM unsynced_snapshots WHERE number <= ?", number),
    takeAbandoned() {
      const unfinished = state.all<{ id: number; owner: string }>("SELECT id, owner FROM snapshots WHERE owner IS NOT NULL");
      const abandoned = unfinished.filter(({ owner }) => !isOwnerAlive(owner));
      forget(abandoned.map(({ id }) => id));
      return abandoned.map(({ id }) => pathOf(id));
    },
  };
}

function toSnapshot(row: Row | undefined): Snapshot | undefined {
  return row && fromRow(row);
}

function fromRow(row: Row): Snapshot {
  return {
    id: row.id,
    base: JSON.parse(row.base) as number[],
    chainId: row.chain_id ?? undefined,
    diffId: row.diff_id ?? undefined,
    diffSize: row.diff_size ?? undefined,
  };
}
