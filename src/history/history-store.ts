import { rmSync } from "node:fs";
import { join } from "node:path";
import { VarveError } from "../errors/index.ts";
import type { BuildEvent } from "../events/index.ts";
import { isOwnerAlive, type State } from "../state/index.ts";
import { packEvents, readEventLines } from "./event-file.ts";
import { decodeEvent } from "./event-text.ts";
import { createRecorder, type Recorder, type RecorderOptions } from "./recorder.ts";
import { openRecords, type StoredRecord } from "./records.ts";
import { parseOffset, refPattern } from "./ref.ts";
import { createStepCounter } from "./step-counter.ts";
import type { BuildRecord, History } from "./types.ts";

/** A record goes when it is beyond the newest `maxEntries` and older than `maxAgeMs`, as BuildKit has it. */
export interface Retention {
  readonly maxAgeMs: number;
  readonly maxEntries: number;
}

/** BuildKit's own (buildkitd.toml, `[history]`). */
const defaultRetention: Retention = { maxAgeMs: 48 * 3600 * 1000, maxEntries: 50 };

/** Old records that one build removes, so that none pays for all. */
const maxRemovedAtOnce = 10;
/** Event files below are kept as they are, and those above too: packing them would hold up the end of the process. In bytes. */
const minPackedBytes = 64 * 1024;
const maxPackedBytes = 64 * 1024 * 1024;

export interface HistoryStore extends History {
  /** Begins the record of a build. The recorder's `finish` also removes records that are too old. */
  record(options: RecorderOptions): Recorder;
  /** Waits until what goes on after builds is done. */
  settled(): Promise<void>;
}

/** The records of a store folder: rows in the state database, events in `root/history/REF/`. */
export function openHistory(options: {
  readonly state: State;
  readonly root: string;
  readonly retention?: Partial<Retention>;
}): HistoryStore {
  const { root } = options;
  const retention = { ...defaultRetention, ...options.retention };
  const records = openRecords(options.state);
  const packing = new Set<Promise<void>>();
  const folderOf = (ref: string): string => join(root, "history", ref);

  async function* readEvents(
    ref: string,
    {
      isGrowing = () => false,
      signal,
      lenient,
    }: { isGrowing?: () => boolean; signal?: AbortSignal | undefined; lenient: boolean },
  ): AsyncGenerator<BuildEvent> {
    for await (const line of readEventLines(folderOf(ref), { isGrowing, signal })) {
      let event: BuildEvent;
      try {
        event = decodeEvent(line);
      } catch (error) {
        // what a machine that lost its power left of the last blocks
        if (lenient) return;
        throw error;
      }
      yield event;
    }
  }

  async function count(record: BuildRecord): Promise<{ readonly counted: BuildRecord; readonly lastMs: number }> {
    const counter = createStepCounter();
    let lastMs = record.createdMs;
    for await (const event of readEvents(record.ref, { lenient: true })) {
      counter.take(event);
      lastMs = Math.max(lastMs, event.time);
    }
    return { counted: { ...record, steps: counter.steps(), warnings: counter.warnings() }, lastMs };
  }

  const isRunning = ({ record, owner }: StoredRecord): boolean =>
    record.status === "running" && owner !== undefined && isOwnerAlive(owner);

  /** A record whose process is gone is told as such from now on. */
  async function settle(stored: StoredRecord): Promise<BuildRecord> {
    const { record } = stored;
    if (record.status !== "running" || isRunning(stored)) return record;
    const now = records.get(record.ref);
    // it may have come to its end between the look at the row and the look at the process
    if (now === undefined || now.record.status !== "running") return now?.record ?? record;
    const { counted, lastMs } = await count(record);
    const died: BuildRecord = { ...counted, status: "died", completedMs: lastMs };
    records.write(died);
    return died;
  }

  function find(name: string | undefined): StoredRecord {
    const ref = name === undefined || name === "" ? "^0" : name.slice(name.lastIndexOf("/") + 1);
    const offset = parseOffset(ref);
    const all = records.all();
    if (offset !== undefined) {
      const found = all[offset];
      if (found !== undefined) return found;
      if (all.length === 0) throw new VarveError("HISTORY_NOT_FOUND", "no records found");
      throw new VarveError("HISTORY_NOT_FOUND", `no build found with offset ${offset}`, {
        hint: `there are ${all.length}; ^0 is the newest`,
      });
    }
    const fitting = refPattern.test(ref) ? all.filter(({ record }) => record.ref.startsWith(ref)) : [];
    const [first, second] = fitting;
    if (first === undefined) {
      throw new VarveError("HISTORY_NOT_FOUND", `no record found for ref ${JSON.stringify(name)}`, {
        hint: "varve history ls lists them",
      });
    }
    if (second !== undefined && first.record.ref !== ref)
      throw new VarveError("HISTORY_AMBIGUOUS", `several records begin with ${ref}`);
    return first;
  }

  function removeRecord(ref: string): void {
    // the folder first: one without its row would never be removed
    // who has just ended it may still be packing its events
    rmSync(folderOf(ref), { recursive: true, force: true, maxRetries: 5 });
    records.remove(ref);
  }

  function removeOutdated(): void {
    for (const ref of records.outdated(retention.maxEntries, Date.now() - retention.maxAgeMs, maxRemovedAtOnce))
      removeRecord(ref);
  }

  const store: HistoryStore = {
    record(recording) {
      const folder = folderOf(recording.ref);
      const recorder = createRecorder(records, folder, recording);
      return {
        take: recorder.take,
        finish(outcome) {
          const bytes = recorder.finish(outcome);
          try {
            removeOutdated();
          } catch (error) {
            recording.onFault(error);
          }
          if (bytes < minPackedBytes || bytes > maxPackedBytes) return bytes;
          const done: Promise<void> = packEvents(folder).finally(() => packing.delete(done));
          packing.add(done);
          return bytes;
        },
      };
    },
    async settled() {
      await Promise.all(packing);
    },
    async list() {
      const all: BuildRecord[] = [];
      for (const stored of records.all()) all.push(await settle(stored));
      return all;
    },
    async resolve(name) {
      return find(name).record.ref;
    },
    async get(name) {
      const record = await settle(find(name));
      return record.status === "running" ? (await count(record)).counted : record;
    },
    async *events(name, { follow = false, signal } = {}) {
      const record = await settle(find(name));
      const isGrowing = (): boolean => {
        const stored = follow ? records.get(record.ref) : undefined;
        return stored !== undefined && isRunning(stored);
      };
      yield* readEvents(record.ref, { isGrowing, signal, lenient: record.status === "died" });
    },
    async remove(names) {
      const chosen =
        names === "all" ? records.all().filter((stored) => !isRunning(stored)) : [...new Set(names)].map((name) => find(name));
      const running = chosen.find(isRunning);
      if (running !== undefined)
        throw new VarveError("HISTORY_RUNNING", `the build ${running.record.ref} is still running; its record stays`);
      for (const { record } of chosen) removeRecord(record.ref);
      return chosen.map(({ record }) => record.ref);
    },
    async pin(name, pinned) {
      records.setPinned(find(name).record.ref, pinned);
    },
  };
  return store;
}
