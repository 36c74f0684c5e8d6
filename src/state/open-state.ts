import { hash } from "node:crypto";
import { existsSync, mkdirSync, statfsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { VarveError } from "../errors/index.ts";
import { openReserve } from "./reserve.ts";

/** A handle on the shared database. All calls are synchronous and short; writers of other processes are waited for. */
export interface State {
  /** Rows of a query, as plain objects keyed by column. */
  all<Row>(sql: string, ...params: SQLInputValue[]): Row[];
  /** The first row, or undefined. */
  get<Row>(sql: string, ...params: SQLInputValue[]): Row | undefined;
  /** Runs a statement; returns the row id of an INSERT and the number of changed rows. */
  run(sql: string, ...params: SQLInputValue[]): { readonly lastId: number; readonly changes: number };
  /** Runs `work` in one write transaction: all of it or nothing. `work` must not be asynchronous. */
  transaction<T>(work: () => T): T;
  /**
   * Runs what removes something. Where the disk has no room for it and another process has the database open, so that opening took
   * nothing of the reserve, it runs once more with that room. `work` must not be asynchronous.
   */
  removing<T>(work: () => T): T;
  /** Takes room on the disk for the moment when there is no other, where that was not done yet. */
  keepReserve(): void;
  /** The disk is so full that only the reserve let the database be opened: what is about to write more should not begin. */
  readonly usesReserve: boolean;
  close(): void;
}

/** How long a statement waits for another process's write transaction, in milliseconds. */
const busyTimeoutMs = 30_000;

/**
 * Opens (and makes, where missing) `root/state.db` with the given tables. Each schema is a list of
 * `CREATE … IF NOT EXISTS` statements. Survives `kill -9` of any user of the file: SQLite's write-ahead log. On a full disk
 * it is opened with the room of the store's reserve; what does not fit after that is DISK_FULL.
 */
export function openState(root: string, schemas: readonly string[]): State {
  const path = join(root, "state.db");
  const reserve = openReserve(root);
  const isNew = !existsSync(path);
  const guard = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw stateError(error, root);
    }
  };
  guard(() => mkdirSync(root, { recursive: true, mode: 0o711 }));
  let usesReserve = false;
  let database: DatabaseSync;
  try {
    database = guard(() => openDatabase(path, schemas));
  } catch (error) {
    if (!isDiskFull(error) || !reserve.release()) throw error;
    usesReserve = true;
    database = guard(() => openDatabase(path, schemas));
  }
  if (isNew) reserve.fill();

  const statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  const prepare = (sql: string) => {
    let statement = statements.get(sql);
    if (!statement) statements.set(sql, (statement = database.prepare(sql)));
    return statement;
  };
  return {
    all: <Row>(sql: string, ...params: SQLInputValue[]) => guard(() => prepare(sql).all(...params)) as Row[],
    get: <Row>(sql: string, ...params: SQLInputValue[]) => guard(() => prepare(sql).get(...params)) as Row | undefined,
    run(sql, ...params) {
      const { lastInsertRowid, changes } = guard(() => prepare(sql).run(...params));
      return { lastId: Number(lastInsertRowid), changes: Number(changes) };
    },
    transaction(work) {
      guard(() => database.exec("BEGIN IMMEDIATE"));
      try {
        const result = work();
        guard(() => database.exec("COMMIT"));
        return result;
      } catch (error) {
        // of some failures (a full disk) SQLite has rolled back by itself
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    },
    removing(work) {
      try {
        return work();
      } catch (error) {
        if (!isDiskFull(error) || !reserve.release()) throw error;
        usesReserve = true;
        return work();
      }
    },
    get usesReserve() {
      return usesReserve;
    },
    keepReserve: () => reserve.fill(),
    close() {
      database.close();
      if (usesReserve) reserve.fill();
    },
  };
}

function openDatabase(path: string, schemas: readonly string[]): DatabaseSync {
  const { DatabaseSync: Database } = loadSqlite();
  const database: DatabaseSync = new Database(path, { timeout: busyTimeoutMs });
  try {
    retryWhileLocked(() => database.exec("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"));
    makeTables(database, schemas.join("\n"));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof VarveError && error.code === "DISK_FULL";
}

/** Errors of SQLite and of the file system that mean a full disk. (sqlite.org/rescode.html: FULL, and what its calls fail with.) */
function stateError(error: unknown, root: string): unknown {
  const { code, errcode } = error as { code?: string; errcode?: number };
  const [ioError, full, cannotOpen] = [10, 13, 14];
  const primary = errcode === undefined ? undefined : errcode & 0xff;
  const isFull =
    code === "ENOSPC" ||
    code === "EDQUOT" ||
    primary === full ||
    ((primary === ioError || primary === cannotOpen) && hasNoRoom(root));
  if (!isFull) return error;
  return new VarveError("DISK_FULL", `no room on the disk for the database of the store ${root}`, {
    cause: error,
    hint: "free some space, for example with varve builder prune",
  });
}

/** Whether the file system has neither the bytes nor the inodes for a log of the database. */
function hasNoRoom(root: string): boolean {
  const { bavail, bsize, files, ffree } = statfsSync(root);
  return bavail * bsize < 128 * 1024 || (files > 0 && ffree < 3);
}

/** The file remembers which schema it was opened with last, so that every start but the first is spared the making of tables. */
function makeTables(database: DatabaseSync, schema: string): void {
  const fingerprint = Number.parseInt(hash("sha256", schema).slice(0, 7), 16);
  const row = retryWhileLocked(() => database.prepare("PRAGMA user_version").get());
  if (row?.["user_version"] === fingerprint) return;
  retryWhileLocked(() => database.exec("PRAGMA journal_mode = WAL"));
  retryWhileLocked(() => database.exec(schema));
  retryWhileLocked(() => database.exec(`PRAGMA user_version = ${fingerprint}`));
}

/** Node 22 warns once that its SQLite is experimental; that is no news for the user of a command line. */
function loadSqlite(): typeof import("node:sqlite") {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    return createRequire(import.meta.url)("node:sqlite") as typeof import("node:sqlite");
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Two processes that open an empty store at once race for the switch to WAL, which does not wait by itself. */
function retryWhileLocked<T>(work: () => T): T {
  const sqliteBusy = 5;
  for (const begun = performance.now(); ;) {
    try {
      return work();
    } catch (error) {
      const code = (error as { errcode?: number }).errcode;
      if (code === undefined || (code & 0xff) !== sqliteBusy || performance.now() - begun > busyTimeoutMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5 + Math.random() * 20);
    }
  }
}
