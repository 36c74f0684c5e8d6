/** Longer texts are none; the pattern below is not linear. */
const maxLength = 100;

const nanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** A duration in nanoseconds as Go's `time.ParseDuration` reads it (`1h30m`, `1.5s`, `0`); undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const sign = text.startsWith("-") ? -1 : 1;
  const body = text.replace(/^[-+]/, "");
  if (body.length > maxLength) return undefined;
  if (body === "0") return 0;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined;
  let total = 0;
  for (const [, whole, fraction, unit] of body.matchAll(/(\d*)(\.\d*)?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const scale = nanoseconds[unit!]!;
    total += Number(whole || "0") * scale + Math.trunc(Number(`0${fraction && fraction !== "." ? fraction : ""}`) * scale);
  }
  return total <= 2 ** 63 ? sign * total : undefined;
}

/** What a setting of buildkitd.toml's kind means, a number of seconds or a text (`172800`, `"48h"`), in milliseconds; undefined for anything else. */
export function readDurationMs(value: unknown): number | undefined {
  const seconds = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof seconds === "number") return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
  const nanos = typeof seconds === "string" ? parseDuration(seconds) : undefined;
  return nanos === undefined || nanos < 0 ? undefined : nanos / 1e6;
}
