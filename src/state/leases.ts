import { isOwnerAlive, processOwner } from "./process-owner.ts";
import type { State } from "./open-state.ts";

export const leasesSchema = `
CREATE TABLE IF NOT EXISTS leases (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  owner TEXT NOT NULL,     -- process that works with the store
  started INTEGER NOT NULL -- milliseconds since 1970
);
CREATE TABLE IF NOT EXISTS lease_claims (
  lease INTEGER NOT NULL,
  thing TEXT NOT NULL, -- what the process uses: a kind, a slash and a name
  PRIMARY KEY (lease, thing)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uses (
  thing TEXT PRIMARY KEY,
  last_used INTEGER NOT NULL, -- milliseconds since 1970
  count INTEGER NOT NULL      -- of leases that used it
) WITHOUT ROWID;
`;

/** When and how often a thing was used. */
export interface Use {
  readonly lastUsedMs: number;
  readonly count: number;
}

/**
 * What running processes use of a store, so that nobody removes it. A claim and the look whether the thing is still there
 * are one write transaction, and so are the look at all claims and the removal of rows: one of the two comes first.
 */
export interface Leases {
  /** From now on claims are kept, until all holds of this process are disposed of. Then they count as uses. */
  hold(): Disposable;
  /**
   * Claims things that `isThere` finds, all or none. Claimed once, a thing is not looked at again. Without a hold nothing is
   * claimed, and the answer holds for no longer than this moment.
   */
  claim(things: readonly string[], isThere: () => boolean): boolean;
  /** Every thing that some living process claims. Call it in the transaction that removes. */
  claimed(): ReadonlySet<string>;
  /** Owners of the leases that are alive, this process's among them. */
  holders(): readonly { readonly owner: string; readonly startedMs: number }[];
  uses(): ReadonlyMap<string, Use>;
  forgetUses(things: Iterable<string>): void;
  /** Ends the leases of dead processes. */
  sweep(): void;
}

/** A lease of another pid namespace cannot be checked: after this long its process counts as dead. */
const maxUnseenMs = 24 * 60 * 60 * 1000;

export function openLeases({ state, now = Date.now }: { readonly state: State; readonly now?: () => number }): Leases {
  const mine = new Set<string>();
  let holds = 0;
  let lease: number | undefined;

  const isAlive = ({ owner, started }: { owner: string; started: number }) =>
    isOwnerAlive(owner) && (isVisible(owner) || now() - started < maxUnseenMs);

  /** Makes uses of a lease's claims and ends it, in the caller's transaction. */
  function end(id: number, usedMs: number): void {
    state.run(
      `INSERT INTO uses (thing, last_used, count) SELECT thing, ?, 1 FROM lease_claims WHERE lease = ?
       ON CONFLICT (thing) DO UPDATE SET last_used = max(last_used, excluded.last_used), count = count + 1`,
      usedMs,
      id,
    );
    state.run("DELETE FROM lease_claims WHERE lease = ?", id);
    state.run("DELETE FROM leases WHERE id = ?", id);
  }

  function release(): void {
    holds -= 1;
    if (holds > 0 || lease === undefined) return;
    const id = lease;
    lease = undefined;
    mine.clear();
    state.transaction(() => end(id, now()));
  }

  const living = () =>
    state.all<{ id: number; owner: string; started: number }>("SELECT id, owner, started FROM leases").filter(isAlive);

  return {
    hold() {
      holds += 1;
      let held = true;
      return {
        [Symbol.dispose]() {
          if (held) release();
          held = false;
        },
      };
    },
    claim(things, isThere) {
      if (holds === 0) return isThere();
      const fresh = things.filter((thing) => !mine.has(thing));
      if (fresh.length === 0) return true;
      const taken = state.transaction(() => {
        if (!isThere()) return undefined;
        const id = lease ?? state.run("INSERT INTO leases (owner, started) VALUES (?, ?)", processOwner(), now()).lastId;
        state.run(
          "INSERT OR IGNORE INTO lease_claims (lease, thing) SELECT ?, value FROM json_each(?)",
          id,
          JSON.stringify(fresh),
        );
        return id;
      });
      if (taken === undefined) return false;
      lease = taken;
      for (const thing of fresh) mine.add(thing);
      return true;
    },
    claimed() {
      const claims = new Set<string>();
      for (const { id } of living()) {
        for (const { thing } of state.all<{ thing: string }>("SELECT thing FROM lease_claims WHERE lease = ?", id))
          claims.add(thing);
      }
      return claims;
    },
    holders: () => living().map(({ owner, started }) => ({ owner, startedMs: started })),
    uses: () =>
      new Map(
        state
          .all<{ thing: string; last_used: number; count: number }>("SELECT thing, last_used, count FROM uses")
          .map(({ thing, last_used: lastUsedMs, count }) => [thing, { lastUsedMs, count }]),
      ),
    forgetUses(things) {
      state.run("DELETE FROM uses WHERE thing IN (SELECT value FROM json_each(?))", JSON.stringify([...things]));
    },
    sweep() {
      const rows = state.all<{ id: number; owner: string; started: number }>("SELECT id, owner, started FROM leases");
      const dead = rows.filter((row) => !isAlive(row));
      if (dead.length > 0) state.transaction(() => dead.forEach(({ id, started }) => end(id, started)));
    },
  };
}

/** Whether a process is of this pid namespace, where its death shows at once. */
function isVisible(owner: string): boolean {
  return owner.split(":")[1] === processOwner().split(":")[1];
}
