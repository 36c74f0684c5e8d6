/** Values of templates: what Go would have. A plain object stands for a struct, a `Map` for a Go map. */

/** A value as Go's fmt prints it with `%v`. */
export function formatGoValue(value: unknown, inner = false): string {
  if (value === undefined || value === null) return inner || value === null ? "<nil>" : "<no value>";
  if (Array.isArray(value)) return `[${value.map((item) => formatGoValue(item, true)).join(" ")}]`;
  if (value instanceof Map) return formatMap([...(value as Map<string, unknown>)]);
  if (typeof value === "object") return Object.keys(value).length === 0 ? "{}" : formatMap(Object.entries(value));
  if (typeof value === "string") return value;
  if (typeof value === "number") return formatNumber(value);
  return JSON.stringify(value) ?? "";
}

function formatMap(entries: readonly (readonly [string, unknown])[]): string {
  const sorted = entries.toSorted(([left], [right]) => (left < right ? -1 : 1));
  return `map[${sorted.map(([key, field]) => `${key}:${formatGoValue(field, true)}`).join(" ")}]`;
}

/** Whole numbers are ints of Go's here; floats from 1e21 on have an exponent in both languages. */
function formatNumber(value: number): string {
  return String(value);
}

/** Go's truth: the zero value of a type is false. */
export function isTrue(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  if (typeof value === "object") return Object.keys(value).length > 0;
  return value !== false && value !== 0 && value !== "";
}

/** As Go's encoding/json without HTML escapes: the keys of maps are sorted, the fields of structs stay in their order. */
export function toJson(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) =>
      part instanceof Map
        ? Object.fromEntries([...(part as Map<string, unknown>)].toSorted(([left], [right]) => (left < right ? -1 : 1)))
        : part,
    ) ?? "null"
  );
}
