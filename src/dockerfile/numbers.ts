/** A boolean as Go's `strconv.ParseBool` reads it; undefined for other words. */
export function parseBoolean(text: string): boolean | undefined {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  return ["0", "f", "F", "FALSE", "false", "False"].includes(text) ? false : undefined;
}

/** An unsigned number of at most 32 bits in base 8 or 10; undefined for everything else. */
export function parseUnsigned(text: string, base: 8 | 10): number | undefined {
  if (!(base === 8 ? /^[0-7]+$/ : /^[0-9]+$/).test(text)) return undefined;
  const value = Number.parseInt(text, base);
  return value <= 0xffff_ffff ? value : undefined;
}

/** Longer texts are no sizes and no durations; the patterns below are not linear. */
const maxLength = 100;

const binaryUnits = "bkmgtp";

/**
 * A size in bytes such as `64m`, `1.5GiB` or `512` (units of docker/go-units `RAMInBytes`: powers of 1024, any case,
 * `b` or `ib` behind at will); undefined when it is none.
 */
export function parseSize(text: string): number | undefined {
  const match = text.length > maxLength ? null : /^(\+?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?) ?([bkmgtp]?)(ib|b)?$/i.exec(text);
  if (match === null) return undefined;
  const unit = match[2]!.toLowerCase();
  if ((unit === "" || unit === "b") && match[3] !== undefined) return undefined;
  const bytes = Number(match[1]) * 1024 ** Math.max(0, binaryUnits.indexOf(unit || "b"));
  return Number.isSafeInteger(Math.trunc(bytes)) ? Math.trunc(bytes) : undefined;
}

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
