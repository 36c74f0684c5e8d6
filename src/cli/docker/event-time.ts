/** RFC 3339 with nanoseconds, as `docker events` begins its lines. */
export function formatNanoseconds(nanoseconds: number): string {
  const ms = Math.floor(nanoseconds / 1e6);
  return new Date(ms).toISOString().replace("Z", "000000Z");
}
