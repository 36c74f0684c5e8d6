import type { LogLine } from "./types.ts";

const newline = 0x0a;
/** What of an unfinished line is kept together at most; a longer one comes in pieces. Docker's limit. (moby, daemon/logger/copier.go) */
const maxPieceBytes = 16_384;
const zoneOf = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/**
 * Reads conmon's log: `TIME stdout|stderr F|P TEXT`, where P is a part of a line that goes on in the next record of its stream. (The
 * format of Kubernetes' CRI logs.) Parts come as one line; bytes are kept as they are. What is no record is left out: the end that a
 * full disk or a crash cut off.
 */
export function logLineReader(): {
  /** The lines that these bytes complete. */
  push(chunk: Uint8Array): readonly LogLine[];
  /** Unfinished lines, when no more will come. */
  end(): readonly LogLine[];
} {
  let rest: Buffer = Buffer.alloc(0);
  const parts: { 1: LogLine | undefined; 2: LogLine | undefined } = { 1: undefined, 2: undefined };
  const add = (record: Buffer, lines: LogLine[]): void => {
    const found = readRecord(record);
    if (found === undefined) return;
    const { isPart, line } = found;
    const before = parts[line.stream];
    const whole = before === undefined ? line : { ...before, data: Buffer.concat([before.data, line.data]) };
    const isUnfinished = isPart && whole.data.length < maxPieceBytes;
    parts[line.stream] = isUnfinished ? whole : undefined;
    if (!isUnfinished) lines.push(whole);
  };
  return {
    push(chunk) {
      const bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
      const lines: LogLine[] = [];
      let from = 0;
      for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, from)) {
        add(bytes.subarray(from, at + 1), lines);
        from = at + 1;
      }
      rest = bytes.subarray(from);
      return lines;
    },
    end() {
      const lines = [parts[1], parts[2]].filter((line) => line !== undefined);
      parts[1] = undefined;
      parts[2] = undefined;
      return lines.toSorted((a, b) => a.timeMs - b.timeMs);
    },
  };
}

/** One record with its newline, which is the program's own only where the tag is F. */
function readRecord(record: Buffer): { readonly isPart: boolean; readonly line: LogLine } | undefined {
  // The head is plain ASCII: `2026-11-21T18:38:17.123456789+00:00 stdout P `
  const [, time, name, tag] = /^(\S+) (stdout|stderr) ([FP])\S* /.exec(record.toString("latin1", 0, 64)) ?? [];
  if (time === undefined || name === undefined || tag === undefined) return undefined;
  const timestamp = inUtc(time);
  if (timestamp === undefined) return undefined;
  const head = record.indexOf(" ", time.length + name.length + 2) + 1;
  return {
    isPart: tag === "P",
    line: {
      ...timestamp,
      stream: name === "stdout" ? 1 : 2,
      data: record.subarray(head, tag === "P" ? record.length - 1 : record.length),
    },
  };
}

/** The same moment with nine digits after the point, in UTC, as Docker prints it. */
function inUtc(time: string): { readonly timeMs: number; readonly timestamp: string } | undefined {
  const [, seconds, fraction = ".0", zone] = zoneOf.exec(time) ?? [];
  const wholeMs = seconds === undefined ? NaN : Date.parse(`${seconds}${zone}`);
  if (Number.isNaN(wholeMs)) return undefined;
  const nanos = fraction.slice(1, 10).padEnd(9, "0");
  return {
    timeMs: wholeMs + Number(nanos) / 1e6,
    timestamp: `${new Date(wholeMs).toISOString().slice(0, 19)}.${nanos}Z`,
  };
}
