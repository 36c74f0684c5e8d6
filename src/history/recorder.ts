import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { BuildEvent } from "../events/index.ts";
import { processOwner } from "../state/index.ts";
import { eventFile } from "./event-file.ts";
import { encodeEvent } from "./event-text.ts";
import type { Records } from "./records.ts";
import { createStepCounter } from "./step-counter.ts";
import type { BuildRecord, RecordedError, RecordedOptions, RecordedResult } from "./types.ts";

/** A build that is over before is written once, at its end: it costs one row and one small file. */
const quickBuildMs = 200;
/** How much of the events a killed process loses at most. */
const flushMs = 250;
/** Events that hold more than this are written at once, in bytes of log. */
const maxPendingBytes = 1024 * 1024;

export interface RecorderOptions {
  readonly ref: string;
  readonly name: string;
  readonly options: RecordedOptions;
  readonly vcs?: BuildRecord["vcs"];
  readonly createdMs: number;
  /** Told once when the record cannot be written. The build goes on. */
  readonly onFault: (error: unknown) => void;
}

/** How a build ended. */
export type Outcome =
  | { readonly status: "completed"; readonly result: RecordedResult }
  | { readonly status: "error" | "canceled"; readonly error: RecordedError };

/** Writes down one build. Nothing here throws or waits. */
export interface Recorder {
  readonly take: (event: BuildEvent) => void;
  /** The last call. Returns the size of the event file in bytes. */
  readonly finish: (outcome: Outcome) => number;
}

/** Records one build: its events go to `folder/events.jsonl`, its row to the records. */
export function createRecorder(records: Records, folder: string, options: RecorderOptions): Recorder {
  const { ref, name, vcs, createdMs, onFault } = options;
  const counter = createStepCounter();
  let pending: BuildEvent[] = [];
  let pendingBytes = 0;
  let writtenBytes = 0;
  let file: number | undefined;
  let isBroken = false;
  let isTold = false;
  let flushing: NodeJS.Timeout | undefined;

  const attempt = (work: () => void): boolean => {
    try {
      work();
      return true;
    } catch (error) {
      if (!isTold) {
        isTold = true;
        onFault(error);
      }
      return false;
    }
  };
  const takePending = (): Buffer => {
    const text = Buffer.from(pending.map(encodeEvent).join(""));
    pending = [];
    pendingBytes = 0;
    return text;
  };
  const flush = (): void => {
    if (file === undefined || isBroken || pending.length === 0) return;
    const to = file;
    isBroken = !attempt(() => (writtenBytes += writeAll(to, takePending())));
    if (isBroken) pending = [];
  };
  const begin = (): void => {
    if (file !== undefined || isBroken) return;
    const steps = { total: 0, completed: 0, cached: 0 };
    attempt(() =>
      records.write(
        { ref, name, status: "running", createdMs, pinned: false, options: options.options, ...vcsOf(vcs), steps, warnings: 0 },
        processOwner(),
      ),
    );
    isBroken = !attempt(() => {
      mkdirSync(folder, { recursive: true });
      file = openSync(join(folder, eventFile), "ax", 0o600);
    });
    flush();
    flushing = setInterval(flush, flushMs).unref();
  };
  const starting = setTimeout(begin, quickBuildMs).unref();

  return {
    take(event) {
      counter.take(event);
      if (isBroken) return;
      pending.push(event);
      if (event.type !== "log") return;
      pendingBytes += event.data.length;
      if (pendingBytes < maxPendingBytes) return;
      begin();
      flush();
    },
    finish(outcome) {
      clearTimeout(starting);
      clearInterval(flushing);
      const completedMs = Math.max(createdMs, Date.now());
      const writeRow = (): void =>
        records.write({
          ref,
          name,
          status: outcome.status,
          createdMs,
          completedMs,
          pinned: false,
          options: options.options,
          ...vcsOf(vcs),
          ...endOf(outcome, counter.failed()),
          steps: counter.steps(),
          warnings: counter.warnings(),
          ...(isBroken ? { incomplete: true } : {}),
        });
      if (file === undefined && !isBroken) {
        // the row first: a folder without one would never be removed
        attempt(writeRow);
        isBroken = !attempt(() => {
          mkdirSync(folder, { recursive: true });
          const text = takePending();
          writeFileSync(join(folder, eventFile), text, { flag: "wx", mode: 0o600 });
          writtenBytes = text.length;
        });
        if (isBroken) attempt(writeRow);
        return writtenBytes;
      }
      flush();
      const to = file;
      if (to !== undefined) attempt(() => closeSync(to));
      attempt(writeRow);
      return writtenBytes;
    },
  };
}

function vcsOf(vcs: BuildRecord["vcs"]): Pick<BuildRecord, "vcs"> {
  return vcs === undefined ? {} : { vcs };
}

function endOf(outcome: Outcome, failed: string | undefined): Pick<BuildRecord, "error" | "result"> {
  if (outcome.status === "completed") return { result: outcome.result };
  return { error: { ...outcome.error, ...(failed === undefined ? {} : { vertex: failed }) } };
}

function writeAll(file: number, bytes: Buffer): number {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
  return bytes.length;
}
