import { closeSync, existsSync, openSync, renameSync } from "node:fs";
import { join } from "node:path";
import { isVarveError } from "../errors/index.ts";
import { flock } from "../sys/index.ts";
import { snapshotThing } from "../snapshots/index.ts";
import { readFoundations, readNeeds } from "./needs.ts";
import { planPrune } from "./plan-prune.ts";
import { extentsTable, type StoreRooms } from "./rooms.ts";
import { surveyStore } from "./survey.ts";
import type { DiskFacts, PruneRule, Victim } from "./types.ts";

export interface PruneOutcome {
  /** In the order in which they went. */
  readonly victims: readonly Victim[];
  readonly freedBytes: number;
}

export interface PruneOptions {
  readonly rules: (disk: DiskFacts) => readonly PruneRule[];
  /** Only say what would go. */
  readonly dryRun?: boolean;
  readonly nowMs?: number;
  readonly signal: AbortSignal;
}

/**
 * Removes what the rules say. Rows go first, in one transaction with the look at all claims: what a running build has found
 * in the cache cannot go, and what is gone cannot be found. Files go after that; where a crash comes between, a sweep
 * finds folders without rows.
 */
export async function pruneStore(rooms: StoreRooms, options: PruneOptions): Promise<PruneOutcome> {
  const { rules, dryRun = false, nowMs = Date.now(), signal } = options;
  if (!dryRun) rooms.state.removing(() => rooms.state.run(extentsTable));
  const { records, disk } = await surveyStore(rooms, { signal });
  const plan = planPrune(records, rules(disk), { nowMs, disk });
  const victims = dryRun || plan.length === 0 ? plan : await remove(rooms, plan, signal);
  return { victims, freedBytes: victims.reduce((sum, { frees, record }) => sum + (frees ? record.bytes : 0), 0) };
}

/** On a full disk in parts: a transaction over few rows needs little room, and the files after it give more. */
async function remove(rooms: StoreRooms, plan: readonly Victim[], signal: AbortSignal): Promise<readonly Victim[]> {
  try {
    return await removeAtOnce(rooms, plan, signal);
  } catch (error) {
    if (plan.length < 2 || !isVarveError(error) || error.code !== "DISK_FULL") throw error;
    const half = Math.ceil(plan.length / 2);
    return [...(await remove(rooms, plan.slice(0, half), signal)), ...(await remove(rooms, plan.slice(half), signal))];
  }
}

async function removeAtOnce(rooms: StoreRooms, plan: readonly Victim[], signal: AbortSignal): Promise<readonly Victim[]> {
  const { state } = rooms;
  const gone = new Set(state.removing(() => state.transaction(() => removeRows(rooms, plan))));
  const folders = [...gone]
    .filter(({ frees, record }) => frees && record.thing.startsWith("snapshot/"))
    .map(({ record }) => rooms.snapshots.pathOf(snapshotId(record.thing)));
  const mounts = plan.filter(({ record }) => record.thing.startsWith("cachemount/"));
  if (mounts.length > 0) {
    const removed = new Set(
      await rooms.cacheMounts.remove(
        mounts.map(({ record }) => refOf(record.thing)),
        { signal },
      ),
    );
    for (const victim of mounts) if (removed.has(refOf(victim.record.thing))) gone.add(victim);
  }
  for (const victim of plan) {
    if (!victim.record.thing.startsWith("git/")) continue;
    const aside = takeRepository(rooms.root, victim.record.thing.slice("git/".length));
    if (aside === undefined) continue;
    folders.push(aside);
    gone.add(victim);
  }
  if (folders.length > 0) await rooms.removeFolders(folders, { signal });
  await rooms.content.emptyTrash();
  return plan.filter((victim) => gone.has(victim));
}

/** Removes the rows of what nobody needs at this moment. Within a transaction. */
function removeRows(rooms: StoreRooms, plan: readonly Victim[]): Victim[] {
  const { state, snapshots, cache, content, blobs, leases } = rooms;
  const listed = snapshots.list();
  const needs = readNeeds(rooms, listed);
  const foundations = readFoundations(rooms);
  const users = new Map<string, string[]>();
  for (const snapshot of listed) {
    for (const below of foundations(snapshot)) {
      const above = users.get(below);
      if (above) above.push(snapshotThing(snapshot.id));
      else users.set(below, [snapshotThing(snapshot.id)]);
    }
  }
  const records = cache.list();
  const gone: Victim[] = [];
  const goneThings = new Set<string>();
  const evicted = new Map<string, string>();
  for (const victim of plan) {
    const { record, frees, why } = victim;
    const { thing } = record;
    if (!/^(?:snapshot|blob)\//.test(thing)) continue;
    if (needs.running.has(thing) || (frees && needs.images.has(thing))) continue;
    // somebody may have built on it since it was looked at
    if ((users.get(thing) ?? []).some((user) => !goneThings.has(user))) continue;
    goneThings.add(thing);
    gone.push(victim);
    if (!thing.startsWith("snapshot/")) continue;
    const id = snapshotId(thing);
    for (const { key, stacks } of records) if (stacks.some((stack) => stack.includes(id))) evicted.set(key, why);
  }
  const freed = gone.filter(({ frees }) => frees).map(({ record }) => record.thing);
  for (const why of new Set(evicted.values()))
    cache.evict(
      [...evicted].filter(([, reason]) => reason === why).map(([key]) => key),
      why,
    );
  snapshots.forget(freed.filter((thing) => thing.startsWith("snapshot/")).map(snapshotId));
  state.run("DELETE FROM extents WHERE thing IN (SELECT value FROM json_each(?))", JSON.stringify(freed));
  leases.forgetUses(freed);
  const digests = freed.filter((thing) => thing.startsWith("blob/")).map((thing) => thing.slice("blob/".length));
  blobs.forget(digests as never);
  content.throwAway(digests as never);
  return gone;
}

/** Moves a repository aside unless a build has it. */
function takeRepository(root: string, name: string): string | undefined {
  const folder = join(root, "git");
  const path = join(folder, name);
  const lock = openSync(join(folder, `${name.replace(/\.git$/, "")}.lock`), "w", 0o600);
  try {
    if (!flock(lock, "exclusive", { block: false }) || !existsSync(path)) return undefined;
    const aside = `${path}.gone-${process.pid}-${Date.now()}`;
    renameSync(path, aside);
    return aside;
  } finally {
    closeSync(lock);
  }
}

function snapshotId(thing: string): number {
  return Number(thing.slice("snapshot/".length));
}

function refOf(thing: string): string {
  return thing.slice("cachemount/".length);
}
