import { hash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";

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
  close(): void;
}

/** How long a statement waits for another process's write transaction, in milliseconds. */
const busyTimeoutMs = 30_000;

/**
 * Opens (and makes, where missing) `root/state.db` with the given tables. Each schema is a list of
 * `CREATE … IF NOT EXISTS` statements. Survives `kill -9` of any user of the file: SQLite's write-ahead log.
 */
export function openState(root: string, schemas: readonly string[]): State {
  mkdirSync(root, { recursive: true, mode: 0o711 });
  const { DatabaseSync: Database } = loadSqlite();
  const database: DatabaseSync = new Database(join(root, "state.db"), { timeout: busyTimeoutMs });
  retryWhileLocked(() => database.exec("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"));
  makeTables(database, schemas.join("\n"));

  const statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  const prepare = (sql: string) => {
    let statement = statements.get(sql);
    if (!statement) statements.set(sql, (statement = database.prepare(sql)));
    return statement;
  };
  return {
    all: <Row>(sql: string, ...params: SQLInputValue[]) => prepare(sql).all(...params) as Row[],
    get: <Row>(sql: string, ...params: SQLInputValue[]) => prepare(sql).get(...params) as Row | undefined,
    run(sql, ...params) {
      const { lastInsertRowid, changes } = prepare(sql).run(...params);
      return { lastId: Number(lastInsertRowid), changes: Number(changes) };
    },
    transaction(work) {
      database.exec("BEGIN IMMEDIATE");
      try {
        const result = work();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
    close: () => database.close(),
  };
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
  for (let attempt = 0; ; attempt += 1) {
    try {
      return work();
    } catch (error) {
      const code = (error as { errcode?: number }).errcode;
      if (code === undefined || (code & 0xff) !== sqliteBusy || attempt >= 200) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5 + Math.random() * 20);
    }
  }
}
