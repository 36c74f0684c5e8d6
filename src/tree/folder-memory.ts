import { statRecordBytes } from "../sys/index.ts";
import { parentPath } from "./path-text.ts";
import type { ContentCache, FolderMemory } from "./tree.ts";

/** What is known of one folder: from earlier builds, and found out in this one. */
export interface FolderState {
  readonly path: string;
  /** All names in it, shown or not, as last listed; undefined while only single files of it were looked at. */
  listed: { readonly names: readonly string[]; readonly records: Buffer; readonly sinceMs: number } | undefined;
  /** Whether the last listing found what the cache remembers. */
  same: boolean;
  view: string;
  digest: string;
  /** The content of a name, if it is known for exactly this record. */
  contentOf(name: string, record: Buffer, at: number): string | undefined;
  /** As `contentOf`, of a young file too: what was read of it last. */
  lastContent(name: string, record: Buffer, at: number): string | undefined;
  learn(name: string, found: { readonly record: Buffer; readonly content: string; readonly sinceMs: number }): void;
}

/** The folders that one build looks at, over what earlier builds remembered. */
export interface FolderStates {
  at(path: string): FolderState;
  /** Compares a listing with what is remembered, and makes it the folder's. */
  list(path: string, listed: NonNullable<FolderState["listed"]>): FolderState;
  keepDigest(state: FolderState, digest: string): void;
  /** Hands what was found out to the cache. */
  settle(): void;
}

/**
 * A file whose times are this near to the moment it was looked at may change once more without its times changing (coarse
 * clocks of file systems): it is not remembered. Milliseconds.
 */
const youngMs = 2_000;

export function createFolderStates(
  cache: ContentCache | undefined,
  identify: (path: string) => { readonly dev: bigint; readonly ino: bigint } | undefined,
): FolderStates {
  const states = new Map<string, FolderState>();
  const settlers = new Map<FolderState, () => void>();
  const dirty = new Set<FolderState>();

  const open = (path: string): FolderState => {
    const identity = cache === undefined ? undefined : identify(path);
    let memory = identity && cache?.recall(identity.dev, identity.ino);
    let index: Map<string, number> | undefined;
    let contents: readonly string[] | undefined;
    const learned = new Map<string, { readonly record: Buffer; readonly content: string; readonly sinceMs: number }>();
    const placeOf = (name: string): number | undefined => {
      index ??= new Map((memory?.names ?? "").split("/").map((known, place) => [known, place]));
      return index.get(name);
    };
    const state: FolderState & { remembers: (listed: NonNullable<FolderState["listed"]>) => boolean } = {
      path,
      listed: undefined,
      same: false,
      view: memory?.view ?? "",
      digest: memory?.digest ?? "",
      remembers: ({ names, records }) =>
        memory !== undefined && memory.records.equals(records) && memory.names === names.join("/"),
      lastContent(name, record, at) {
        const found = learned.get(name);
        return found?.record.compare(record, at, at + statRecordBytes) === 0 ? found.content : state.contentOf(name, record, at);
      },
      contentOf(name, record, at) {
        const found = learned.get(name);
        if (found?.record.compare(record, at, at + statRecordBytes) === 0)
          return isYoung(record, at, found.sinceMs) ? undefined : found.content;
        if (memory === undefined) return undefined;
        const place = placeOf(name);
        if (place === undefined) return undefined;
        const known = memory.records.compare(
          record,
          at,
          at + statRecordBytes,
          place * statRecordBytes,
          (place + 1) * statRecordBytes,
        );
        if (known !== 0) return undefined;
        contents ??= memory.contents();
        return contents[place] || undefined;
      },
      learn(name, found) {
        learned.set(name, found);
        if (identity !== undefined) dirty.add(state);
      },
    };
    settlers.set(state, () => {
      if (identity === undefined || cache === undefined) return;
      const listed = state.listed ?? listLearned(memory, learned);
      const found = listed.names.map((name, place) => state.contentOf(name, listed.records, place * statRecordBytes) ?? "");
      const records = Buffer.from(listed.records);
      for (const [place, name] of listed.names.entries()) {
        const sinceMs = learned.get(name)?.sinceMs ?? listed.sinceMs;
        if (isYoung(records, place * statRecordBytes, sinceMs)) {
          records.fill(0, place * statRecordBytes, (place + 1) * statRecordBytes);
        }
      }
      const { view, digest } = state;
      memory = { names: listed.names.join("/"), records, contents: () => found, view, digest };
      index = undefined;
      contents = undefined;
      cache.remember(identity.dev, identity.ino, memory);
    });
    states.set(path, state);
    return state;
  };
  return {
    at: (path) => states.get(path) ?? open(path),
    list(path, listed) {
      const state = (states.get(path) ?? open(path)) as ReturnType<typeof open> & {
        remembers: (listed: NonNullable<FolderState["listed"]>) => boolean;
      };
      // What was found out of a listing is worth nothing once the folder shows something else.
      const before = state.listed;
      const asBefore =
        before !== undefined &&
        before.records.equals(listed.records) &&
        equalNames(before.names, listed.names) &&
        !before.names.some((_, place) => isYoung(before.records, place * statRecordBytes, before.sinceMs));
      const remembered = state.remembers(listed);
      if (!asBefore && !remembered) state.digest = "";
      state.same = state.digest !== "" && (asBefore || remembered);
      state.listed = asBefore ? before : listed;
      return state;
    },
    keepDigest(state, digest) {
      state.digest = digest;
      dirty.add(state);
    },
    settle() {
      for (const state of dirty) settlers.get(state)?.();
      dirty.clear();
    },
  };
}

function equalNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, place) => name === b[place]);
}

/** What is known of single files, over what was remembered of others: the folder itself was not listed. */
function listLearned(
  memory: FolderMemory | undefined,
  learned: ReadonlyMap<string, { readonly record: Buffer; readonly sinceMs: number }>,
): NonNullable<FolderState["listed"]> {
  const known = memory === undefined || memory.names === "" ? [] : memory.names.split("/");
  const records = new Map(
    known.map((name, place) => [name, memory?.records.subarray(place * statRecordBytes, (place + 1) * statRecordBytes)]),
  );
  for (const [name, { record }] of learned) records.set(name, record);
  const none = Buffer.alloc(statRecordBytes);
  return {
    names: [...records.keys()],
    records: Buffer.concat([...records.values()].map((record) => record ?? none)),
    sinceMs: Number.MAX_SAFE_INTEGER,
  };
}

/** Seconds are enough: what is younger by less than a second counts as young. */
function isYoung(records: Buffer, at: number, sinceMs: number): boolean {
  const limit = Math.floor((sinceMs - youngMs) / 1_000);
  return Math.max(Number(records.readBigInt64LE(at + 32)), Number(records.readBigInt64LE(at + 48))) >= limit;
}

/** The folder and the name of a path. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  return { folder: parentPath(path), name: path.slice(path.lastIndexOf("/") + 1) };
}
