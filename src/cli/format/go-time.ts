/** A time as Go prints it, in UTC and whole seconds: `2026-01-31 12:00:00 +0000 UTC`. */
export function formatGoTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/T([\d:]+)\..*$/, " $1 +0000 UTC");
}
