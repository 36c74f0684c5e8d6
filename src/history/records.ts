import type { State } from "../state/index.ts";
import type { BuildRecord, BuildStatus } from "./types.ts";

export const historySchema = `
CREATE TABLE IF NOT EXISTS build_records (
  ref TEXT PRIMARY KEY,
  status TEXT NOT NULL,
  created INTEGER NOT NULL, -- milliseconds since 1970
  completed INTEGER,        -- the same; NULL while it runs
  owner TEXT,               -- process that runs it; NULL once it has ended
  pinned INTEGER NOT NULL DEFAULT 0,
  data TEXT NOT NULL        -- JSON: the rest of the record
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS build_records_by_end ON build_records (completed);
`;

/** A record and, while it runs, the process that runs it. */
export interface StoredRecord {
  readonly record: BuildRecord;
  readonly owner: string | undefined;
}

/** Rows of builds. */
export interface Records {
  /** Writes a record, in place of an older one of its ref. */
  write(record: BuildRecord, owner?: string): void;
  /** Newest first. */
  all(): readonly StoredRecord[];
  get(ref: string): StoredRecord | undefined;
  setPinned(ref: string, pinned: boolean): void;
  remove(ref: string): void;
  /** Refs beyond the newest `keep` ended ones that ended before `beforeMs`, without pinned ones; the oldest first, at most `limit`. */
  outdated(keep: number, beforeMs: number, limit: number): readonly string[];
}

interface Row {
  readonly ref: string;
  readonly status: BuildStatus;
  readonly created: number;
  readonly completed: number | null;
  readonly owner: string | null;
  readonly pinned: number;
  readonly data: string;
}

export function openRecords(state: State): Records {
  return {
    write({ ref, status, createdMs, completedMs, pinned, ...data }, owner) {
      state.run(
        "INSERT OR REPLACE INTO build_records (ref, status, created, completed, owner, pinned, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
        ref,
        status,
        createdMs,
        completedMs ?? null,
        owner ?? null,
        pinned ? 1 : 0,
        JSON.stringify(data),
      );
    },
    all: () => state.all<Row>("SELECT * FROM build_records ORDER BY created DESC, ref").map(fromRow),
    get(ref) {
      const row = state.get<Row>("SELECT * FROM build_records WHERE ref = ?", ref);
      return row && fromRow(row);
    },
    setPinned: (ref, pinned) => void state.run("UPDATE build_records SET pinned = ? WHERE ref = ?", pinned ? 1 : 0, ref),
    remove: (ref) => void state.run("DELETE FROM build_records WHERE ref = ?", ref),
    outdated(keep, beforeMs, limit) {
      const rows = state.all<{ ref: string; completed: number }>(
        "SELECT ref, completed FROM build_records WHERE pinned = 0 AND completed IS NOT NULL ORDER BY completed DESC LIMIT -1 OFFSET ?",
        keep,
      );
      return rows
        .filter(({ completed }) => completed < beforeMs)
        .slice(-limit)
        .map(({ ref }) => ref);
    },
  };
}

function fromRow({ ref, status, created, completed, owner, pinned, data }: Row): StoredRecord {
  const rest = JSON.parse(data) as Omit<BuildRecord, "ref" | "status" | "createdMs" | "completedMs" | "pinned">;
  return {
    owner: owner ?? undefined,
    record: {
      ref,
      status,
      createdMs: created,
      ...(completed === null ? {} : { completedMs: completed }),
      pinned: pinned === 1,
      ...rest,
    },
  };
}
