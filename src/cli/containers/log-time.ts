import { VarveError } from "../../errors/index.ts";
import { parseDuration } from "../../units/index.ts";

/**
 * A moment in milliseconds since 1970, with a fraction, as `docker logs --since` takes it: a duration before now (`10m`), seconds since
 * 1970 (`1700000000.5`), a date, or a time of RFC 3339 with up to nine digits after the point; without a zone it is in this machine's.
 */
export function readLogTime(flag: string, text: string, nowMs: number): number {
  if (/^-?\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  const nanoseconds = parseDuration(text);
  if (nanoseconds !== undefined) return nowMs - nanoseconds / 1e6;
  const [, day, time, fraction = "", zone = ""] =
    /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}(?::\d{2}(?::\d{2})?)?)(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?)?$/i.exec(text) ?? [];
  const clock = time === undefined ? "00:00:00" : time.padEnd(8, ":00:00".slice(time.length - 2));
  const wholeMs = day === undefined ? NaN : Date.parse(`${day}T${clock}${zone}`);
  if (Number.isNaN(wholeMs)) {
    throw new VarveError("USAGE", `invalid value for "${flag}": failed to parse value as time or duration: "${text}"`);
  }
  return wholeMs + (fraction === "" ? 0 : Number(fraction) * 1000);
}
