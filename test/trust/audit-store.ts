/** Looks into a store behind Varve's back and says whatever is not as it must be. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface AuditOptions {
  /** What nobody cleared up yet may be there: folders and files of the dead. */
  readonly unswept?: boolean;
}

/** What is wrong with a store that no process uses; nothing, in a store that is whole. */
export function auditStore(root: string, { unswept = false }: AuditOptions = {}): readonly string[] {
  const faults: string[] = [];
  const list = (...names: readonly string[]) => {
    const path = join(root, ...names);
    return existsSync(path) ? readdirSync(path) : [];
  };
  for (const name of list("blobs", "sha256")) {
    const digest = createHash("sha256").update(readFileSync(join(root, "blobs/sha256", name)));
    if (digest.digest("hex") !== name) faults.push(`the blob ${name} has another digest`);
  }
  if (!unswept)
    for (const room of ["ingest", "trash", "mnt"]) for (const name of list(room)) faults.push(`${room}/${name} was left`);
  if (!existsSync(join(root, "state.db"))) return faults;
  // a copy: to look at the store must change nothing in it, and needs room
  const copy = mkdtempSync(join(tmpdir(), "varve-audit-"));
  for (const name of ["state.db", "state.db-wal"])
    if (existsSync(join(root, name))) copyFileSync(join(root, name), join(copy, name));
  const database = new DatabaseSync(join(copy, "state.db"));
  try {
    const has = (table: string) => database.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(table) !== undefined;
    const rows = (sql: string) => database.prepare(sql).all() as Record<string, string | number | null>[];
    for (const row of rows("PRAGMA integrity_check"))
      if (row["integrity_check"] !== "ok") faults.push(`database: ${JSON.stringify(row)}`);
    if (!has("snapshots") || !has("images")) return faults;
    const snapshots = rows("SELECT id, owner, base FROM snapshots");
    const complete = new Set(snapshots.filter(({ owner }) => owner === null).map(({ id }) => id));
    const away = new Set(has("away_snapshots") ? rows("SELECT id FROM away_snapshots").map(({ id }) => id) : []);
    for (const { id, owner, base } of snapshots) {
      if (owner !== null && !unswept) faults.push(`the snapshot ${id} is still in the making`);
      if (owner === null && !away.has(id) && !existsSync(join(root, "snapshots", String(id), "fs")))
        faults.push(`the snapshot ${id} has no folder`);
      for (const below of JSON.parse(String(base)) as number[])
        if (!complete.has(below)) faults.push(`the snapshot ${id} stands on ${below}, which is gone`);
    }
    const known = new Set(snapshots.map(({ id }) => String(id)));
    if (!unswept)
      for (const name of list("snapshots")) if (!known.has(name)) faults.push(`the folder snapshots/${name} is nobody's`);
    for (const { id, layers } of rows("SELECT id, layers FROM images"))
      for (const layer of (JSON.parse(String(layers)) as number[] | null) ?? [])
        if (!complete.has(layer)) faults.push(`the image ${id} needs the snapshot ${layer}, which is gone`);
    for (const { id } of rows("SELECT id FROM images"))
      if (!existsSync(join(root, "blobs/sha256", String(id).slice("sha256:".length))))
        faults.push(`the image ${id} has no config`);
    if (has("leases") && !unswept)
      for (const { owner } of rows("SELECT owner FROM leases")) faults.push(`a lease of ${owner} was left`);
  } finally {
    database.close();
    rmSync(copy, { recursive: true });
  }
  return faults;
}

/** Allocated bytes of a folder, as the system's own `du` has them. */
export function diskUsage(path: string): number {
  return Number(execFileSync("du", ["-s", "--block-size=1", path]).toString().split("\t")[0]);
}

/** Copies a store that no process uses; files with several names stay such. */
export function copyStore(from: string, to: string): void {
  execFileSync("cp", ["-a", from, to]);
}
