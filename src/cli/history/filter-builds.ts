import type { BuildRecord } from "../../engine/index.ts";
import { VarveError } from "../../errors/index.ts";

export type BuildFilter = (record: BuildRecord) => boolean;

/**
 * A value of `varve history ls --filter` (U20): `ref`, `repository` and `status` with `=` or `!=`; `startedAt`,
 * `completedAt` (a time, or how long ago) and `duration` with `>`, `>=`, `<` or `<=`. (buildx, commands/history/utils.go)
 */
export function parseBuildFilter(text: string, options: { readonly nowMs: number }): BuildFilter {
  const match = /^(.*?)(!=|<=|>=|=|<|>)(.*)$/s.exec(text);
  if (match === null) throw new VarveError("USAGE", `invalid filter ${JSON.stringify(text)}`, { hint: 'e.g. "status=error"' });
  const [, key = "", operator = "", value = ""] = match;
  switch (key) {
    case "ref":
    case "repository":
    case "status":
      return filterByText(text, { key, operator, value });
    case "startedAt":
    case "completedAt":
    case "duration":
      return filterByNumber(text, { key, operator, value, ...options });
    default:
      throw new VarveError("USAGE", `unsupported filter ${JSON.stringify(text)}`, {
        hint: "there are ref, repository, status, startedAt, completedAt and duration",
      });
  }
}

const statuses = ["running", "completed", "error", "canceled", "died"];

function filterByText(
  text: string,
  { key, operator, value }: { readonly key: "ref" | "repository" | "status"; readonly operator: string; readonly value: string },
): BuildFilter {
  if (operator !== "=" && operator !== "!=")
    throw new VarveError("USAGE", `invalid separator for ${JSON.stringify(text)}, expected = or !=`);
  if (key === "status" && !statuses.includes(value))
    throw new VarveError("USAGE", `unknown status ${JSON.stringify(value)}`, { hint: `there are ${statuses.join(", ")}` });
  const textOf = (record: BuildRecord): string => {
    if (key === "ref") return record.ref;
    return key === "status" ? record.status : repositoryOf(record);
  };
  if (operator === "!=") return (record) => textOf(record) !== value;
  return key === "status" ? (record) => record.status === value : (record) => textOf(record).includes(value);
}

/** Where the context came from: the remote of its checkout, or the URL that it was fetched from. */
export function repositoryOf({ vcs, options: { context } }: BuildRecord): string {
  if (vcs?.source !== undefined) return vcs.source;
  return context.startsWith("/") || context === "-" ? "" : (context.split("#")[0] ?? "");
}

interface NumberFilter {
  readonly key: "startedAt" | "completedAt" | "duration";
  readonly operator: string;
  readonly value: string;
  readonly nowMs: number;
}

function filterByNumber(text: string, { key, operator, value, nowMs }: NumberFilter): BuildFilter {
  if (operator === "=" || operator === "!=")
    throw new VarveError("USAGE", `invalid separator for ${JSON.stringify(text)}, expected <=, <, >= or >`);
  const limit = key === "duration" ? readDuration(value) : readTime(value, nowMs);
  return (record) => {
    const number = {
      startedAt: record.createdMs,
      completedAt: record.completedMs ?? 0,
      duration: (record.completedMs ?? nowMs) - record.createdMs,
    }[key];
    if (operator === ">=") return number >= limit;
    if (operator === "<=") return number <= limit;
    return operator === ">" ? number > limit : number < limit;
  };
}

function readTime(text: string, nowMs: number): number {
  const agoMs = parseGoDuration(text);
  if (agoMs !== undefined) return nowMs - agoMs;
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw new VarveError("USAGE", `invalid time ${text}`, { hint: "an age like 5m, or a time like 2026-01-31T12:00:00Z" });
  return time;
}

function readDuration(text: string): number {
  const durationMs = parseGoDuration(text);
  if (durationMs === undefined) throw new VarveError("USAGE", `invalid duration ${text}`, { hint: "e.g. 1.5s, 300ms, 1h30m" });
  return durationMs;
}

const unitsMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** What Go's `time.ParseDuration` takes, in milliseconds; undefined for another text. */
export function parseGoDuration(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+)$/.exec(text);
  if (match === null) return undefined;
  let sum = 0;
  for (const [, number, unit = ""] of (match[2] ?? "").matchAll(/([\d.]+)([a-zµ]+)/g))
    sum += Number(number) * (unitsMs[unit] ?? 0);
  return match[1] === "-" ? -sum : sum;
}
