/** How long ago something was, in Docker's words, e.g. `3 minutes`, `About an hour`. (go-units, HumanDuration) */
export function formatDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / 1000);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(durationMs / 60_000);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.trunc(durationMs / 3_600_000 + 0.5);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(durationMs / 3_600_000 / 24 / 365)} years`;
}

/** The column CREATED of Docker's tables: `3 minutes ago`; `N/A` for a time that is not known. */
export function formatAge(timeMs: number | undefined, nowMs: number): string {
  if (timeMs === undefined || !Number.isFinite(timeMs)) return "N/A";
  return `${formatDuration(Math.max(0, nowMs - timeMs))} ago`;
}
