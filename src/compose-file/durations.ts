import { parseDuration } from "../units/index.ts";

const hours: Readonly<Record<string, number>> = { d: 24, w: 168 };

/** A duration as Compose files have it (Go's, with days and weeks), in milliseconds; undefined when it is none. */
export function readDuration(text: string): number | undefined {
  const plain = text.replaceAll(
    /(\d+(?:\.\d+)?)([dw])/g,
    (_, count: string, unit: string) => `${Number(count) * (hours[unit] ?? 0)}h`,
  );
  const nanoseconds = parseDuration(plain);
  return nanoseconds === undefined ? undefined : nanoseconds / 1e6;
}

/** Milliseconds as Go writes a duration: `1h0m0s`, `1.5s`, `100ms`, `0s`. */
export function showDuration(milliseconds: number): string {
  const sign = milliseconds < 0 ? "-" : "";
  const nanoseconds = BigInt(Math.round(Math.abs(milliseconds) * 1e6));
  if (nanoseconds === 0n) return "0s";
  if (nanoseconds < 1000n) return `${sign}${nanoseconds}ns`;
  if (nanoseconds < 1_000_000n) return `${sign}${fraction(nanoseconds, 1000n)}µs`;
  if (nanoseconds < 1_000_000_000n) return `${sign}${fraction(nanoseconds, 1_000_000n)}ms`;
  const minutes = nanoseconds / 60_000_000_000n;
  const seconds = `${fraction(nanoseconds % 60_000_000_000n, 1_000_000_000n)}s`;
  if (minutes === 0n) return sign + seconds;
  return `${sign}${minutes < 60n ? "" : `${minutes / 60n}h`}${minutes % 60n}m${seconds}`;
}

function fraction(value: bigint, unit: bigint): string {
  const digits = String(unit).length - 1;
  const rest = String(value % unit)
    .padStart(digits, "0")
    .replace(/0+$/, "");
  return `${value / unit}${rest === "" ? "" : `.${rest}`}`;
}
