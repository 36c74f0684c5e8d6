import type { CacheRecord, CacheStore } from "../solver/index.ts";
import type { Ref, SnapshotStore, StackRef } from "../snapshots/index.ts";
import type { State } from "../state/index.ts";

export const cacheSchema = `
CREATE TABLE IF NOT EXISTS cache_records (
  key TEXT PRIMARY KEY,
  outputs TEXT NOT NULL,   -- JSON: one stack of snapshot ids per output, or null
  name TEXT NOT NULL,      -- the step's name, for people
  created INTEGER NOT NULL -- milliseconds since 1970
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cache_links (fast TEXT PRIMARY KEY, key TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cache_inputs (
  input TEXT NOT NULL, -- key of a record
  user TEXT NOT NULL,  -- key of a record, or fast key of a link, that was made from it
  PRIMARY KEY (input, user)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS content_digests (
  stack TEXT NOT NULL,    -- JSON: snapshot ids
  selector TEXT NOT NULL, -- what was read of it
  digest TEXT NOT NULL,
  PRIMARY KEY (stack, selector)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cache_tombstones (
  key TEXT PRIMARY KEY,  -- of a record that was removed
  time INTEGER NOT NULL, -- milliseconds since 1970
  why TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS cache_tombstones_by_time ON cache_tombstones (time);
`;

/** Of this many removed records it is remembered why they went, the newest. */
export const maxTombstones = 10_000;

/** What was removed, and why. */
export interface Tombstone {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly why: string;
}

/** A record as store care sees it. */
export interface ListedRecord {
  readonly key: string;
  /** One stack of snapshot ids for each output that has one. */
  readonly stacks: readonly (readonly number[])[];
  readonly name: string;
  readonly createdMs: number;
}

export interface Cache extends CacheStore<Ref> {
  link(fastKey: string): string | undefined;
  knows(key: string): boolean;
  load(key: string): readonly (Ref | undefined)[] | undefined;
  /**
   * As `save`, of a result that comes from where what was made from it came from too (an imported cache): nothing is
   * forgotten.
   */
  adopt(record: CacheRecord<Ref>): void;
  /** Stores a stack that stands for a key by its content alone; `name` says to people what it is. */
  saveStack(key: string, stack: StackRef, name: string): void;
  /** The digest of a part of a stack, computed at most once for a stack: snapshots never change. */
  contentDigest(stack: readonly number[], selector: string, compute: () => Promise<string>): Promise<string>;
  /** When and why the record of a key was removed; undefined where there is one, there never was, or it is long ago. */
  goneSince(key: string): Tombstone | undefined;
  list(): readonly ListedRecord[];
  /**
   * Removes records for good, and what was found out about their stacks, and remembers why. Call it in a transaction. What
   * was made from them stays: it is forgotten when such a record is made anew, as it may then have other content.
   */
  evict(keys: readonly string[], why: string): void;
}

/** A result is usable while all its snapshots are there. Folder results belong to one build and are not stored. */
export function createCache({ state, snapshots }: { readonly state: State; readonly snapshots: SnapshotStore }): Cache {
  function forgetUsers(key: string): void {
    for (const { user } of state.all<{ user: string }>("SELECT user FROM cache_inputs WHERE input = ?", key)) {
      state.run("DELETE FROM cache_inputs WHERE input = ? AND user = ?", key, user);
      state.run("DELETE FROM cache_links WHERE fast = ?", user);
      if (state.run("DELETE FROM cache_records WHERE key = ?", user).changes > 0) forgetUsers(user);
    }
  }

  function saveInputs(user: string, inputs: readonly string[]): void {
    for (const input of inputs) state.run("INSERT OR IGNORE INTO cache_inputs (input, user) VALUES (?, ?)", input, user);
  }

  function saveRecord(
    key: string,
    inputKeys: readonly string[],
    outputs: readonly (Ref | undefined)[],
    name: string,
    { keepUsers = false, over }: { readonly keepUsers?: boolean; readonly over?: { readonly text: string | undefined } } = {},
  ): boolean {
    const stacks = outputs.map((output) => (output?.kind === "stack" ? output.layers : null));
    return state.transaction(() => {
      if (over !== undefined && textOf(key) !== over.text) return false;
      // also where the record itself was evicted: what its users were made from is not what is stored now
      if (!keepUsers) forgetUsers(key);
      state.run("DELETE FROM cache_tombstones WHERE key = ?", key);
      const row = [key, JSON.stringify(stacks), name, Date.now()] as const;
      state.run("INSERT OR REPLACE INTO cache_records (key, outputs, name, created) VALUES (?, ?, ?, ?)", ...row);
      saveInputs(key, inputKeys);
      return true;
    });
  }

  /** What a record says of its outputs, whether they are usable or not. */
  const textOf = (key: string) => state.get<{ outputs: string }>("SELECT outputs FROM cache_records WHERE key = ?", key)?.outputs;

  function peek(key: string): readonly (Ref | undefined)[] | undefined {
    const text = textOf(key);
    if (text === undefined) return undefined;
    const stacks = JSON.parse(text) as (number[] | null)[];
    if (!snapshots.claim([...new Set(stacks.flatMap((stack) => stack ?? []))])) return undefined;
    return stacks.map((layers) => (layers ? { kind: "stack", layers } : undefined));
  }

  const linkOf = (fast: string) => state.get<{ key: string }>("SELECT key FROM cache_links WHERE fast = ?", fast)?.key;

  return {
    link: linkOf,
    saveLink(fast, key, inputKeys) {
      if (linkOf(fast) === key) return; // a build that changed nothing writes nothing
      state.transaction(() => {
        state.run("INSERT OR REPLACE INTO cache_links (fast, key) VALUES (?, ?)", fast, key);
        saveInputs(fast, inputKeys);
      });
    },
    knows: (key) =>
      state.get("SELECT 1 FROM cache_records WHERE key = ?", key) !== undefined ||
      state.get("SELECT 1 FROM cache_inputs WHERE input = ? LIMIT 1", key) !== undefined,
    peek,
    load: peek,
    save({ key, inputKeys, outputs, vertex }: CacheRecord<Ref>) {
      if (!outputs.some((output) => output?.kind === "folder")) saveRecord(key, inputKeys, outputs, vertex.name);
    },
    keep({ key, inputKeys, outputs, vertex }) {
      for (;;) {
        const text = textOf(key);
        const stored = peek(key);
        if (stored) return stored;
        if (outputs.some((output) => output?.kind === "folder")) return outputs;
        // another process may store the same at this very moment
        if (saveRecord(key, inputKeys, outputs, vertex.name, { over: { text } })) return outputs;
      }
    },
    adopt: ({ key, inputKeys, outputs, vertex }) => void saveRecord(key, inputKeys, outputs, vertex.name, { keepUsers: true }),
    saveStack: (key, stack, name) => void saveRecord(key, [], [stack], name),
    async contentDigest(stack, selector, compute) {
      const stackKey = JSON.stringify(stack);
      const known = state.get<{ digest: string }>(
        "SELECT digest FROM content_digests WHERE stack = ? AND selector = ?",
        stackKey,
        selector,
      );
      if (known) return known.digest;
      const digest = await compute();
      state.run("INSERT OR REPLACE INTO content_digests (stack, selector, digest) VALUES (?, ?, ?)", stackKey, selector, digest);
      return digest;
    },
    goneSince: (key) =>
      state.get<{ time: number; why: string }>(
        "SELECT time, why FROM cache_tombstones WHERE key = ? AND key NOT IN (SELECT key FROM cache_records)",
        key,
      ),
    list: () =>
      state
        .all<{ key: string; outputs: string; name: string; created: number }>(
          "SELECT key, outputs, name, created FROM cache_records",
        )
        .map(({ key, outputs, name, created }) => ({
          key,
          stacks: (JSON.parse(outputs) as (number[] | null)[]).filter((stack) => stack !== null),
          name,
          createdMs: created,
        })),
    evict(keys, why) {
      const time = Date.now();
      for (const key of keys) {
        const row = state.get<{ outputs: string }>("SELECT outputs FROM cache_records WHERE key = ?", key);
        if (!row) continue;
        for (const stack of JSON.parse(row.outputs) as (number[] | null)[])
          if (stack) state.run("DELETE FROM content_digests WHERE stack = ?", JSON.stringify(stack));
        state.run("DELETE FROM cache_records WHERE key = ?", key);
        state.run("INSERT OR REPLACE INTO cache_tombstones (key, time, why) VALUES (?, ?, ?)", key, time, why);
      }
      const surplus = "SELECT key FROM cache_tombstones ORDER BY time DESC, key LIMIT -1 OFFSET ?";
      state.run(`DELETE FROM cache_tombstones WHERE key IN (${surplus})`, maxTombstones);
    },
  };
}
