import { VarveError } from "../errors/index.ts";
import { cut } from "./flags.ts";
import { parseDuration } from "../units/index.ts";

/** What the `--filter` flags of a prune or du command say. */
export interface CacheFilters {
  /** Conditions on records, as the engine reads them. */
  readonly conditions: readonly string[];
  /** Only what was not used for this long, in milliseconds. */
  readonly keepMs: number;
}

/**
 * Reads filters as buildx does: `until` and `unused-for` are a duration, `id` fits anywhere in an id, and a name may end in
 * `!` or `~`, which makes its `=` a `!=` or `~=`.
 */
export function readCacheFilters(texts: readonly string[]): CacheFilters {
  const values = new Map<string, string | undefined>();
  for (const text of texts) {
    const [name, value] = cut(text, "=");
    const key = name.trim().toLowerCase();
    if (values.has(key) && values.get(key) !== value?.trim())
      throw new VarveError(
        "FILTER_INVALID",
        key === "until" || key === "unused-for" ? `"${key}" filter expects only one value` : `the filter ${key} is given twice`,
      );
    values.set(key, value?.trim());
  }
  if (values.has("until") && values.has("unused-for"))
    throw new VarveError("FILTER_INVALID", 'conflicting filters "until" and "unused-for"');
  const conditions: string[] = [];
  let keepMs = 0;
  for (const [key, value] of values) {
    if (key === "until" || key === "unused-for") keepMs = readDuration(key, value ?? "");
    else if (value === undefined) conditions.push(key);
    else conditions.push(key === "id" ? `id~=${value}` : `${key}=${value}`);
  }
  return { conditions, keepMs };
}

function readDuration(key: string, text: string): number {
  const nanoseconds = parseDuration(text);
  if (nanoseconds !== undefined && nanoseconds >= 0) return nanoseconds / 1e6;
  throw new VarveError("FILTER_INVALID", `"${key}" filter expects a duration (e.g., '24h'): time: invalid duration "${text}"`);
}

/** What the `--filter` flags of `image prune` and `system prune` say. */
export interface ImageFilters {
  readonly createdBeforeMs?: number;
  readonly labels: readonly { readonly key: string; readonly value?: string; readonly not: boolean }[];
  /** `image prune`'s own way to say --all. */
  readonly dangling?: boolean;
}

export function readImageFilters(texts: readonly string[], nowMs: number): ImageFilters {
  const labels: ImageFilters["labels"][number][] = [];
  let createdBeforeMs: number | undefined;
  let dangling: boolean | undefined;
  for (const text of texts) {
    const [name, value] = cut(text, "=");
    const key = name.trim().toLowerCase();
    if (value === undefined) throw new VarveError("FILTER_INVALID", "bad format of filter (expected name=value)");
    if (key === "until") createdBeforeMs = readTime(value.trim(), nowMs);
    else if (key === "label" || key === "label!") {
      const [label, wanted] = cut(value, "=");
      labels.push({ key: label, not: key === "label!", ...(wanted === undefined ? {} : { value: wanted }) });
    } else if (key === "dangling") dangling = ["true", "1"].includes(value);
    else throw new VarveError("FILTER_INVALID", `invalid filter '${key}'`, { hint: "known: until, label, label!, dangling" });
  }
  return {
    labels,
    ...(createdBeforeMs === undefined ? {} : { createdBeforeMs }),
    ...(dangling === undefined ? {} : { dangling }),
  };
}

/** A duration before now, seconds since 1970, or a date. (Docker, "image prune --filter until") */
function readTime(text: string, nowMs: number): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  const nanoseconds = parseDuration(text);
  if (nanoseconds !== undefined && nanoseconds >= 0) return nowMs - nanoseconds / 1e6;
  const time = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)?$/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(time)) throw new VarveError("FILTER_INVALID", `failed to parse value as time or duration: "${text}"`);
  return time;
}
