import { VarveError } from "../../errors/index.ts";
import { cut } from "../flags.ts";

/** The values of a flag that is repeated as `name=value`; a name alone has the value "". */
export function readNamedValues(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const [name, value = ""] = cut(text, "=");
      return [name, value];
    }),
  );
}

/** A list's filters by name, each with all its values. Fails with FILTER_INVALID for a name that is not known. */
export function readFilters<Name extends string>(
  texts: readonly string[],
  known: readonly Name[],
): Readonly<Record<Name, readonly string[]>> {
  const filters = Object.fromEntries(known.map((name) => [name, [] as string[]])) as Record<Name, string[]>;
  for (const text of texts) {
    const [name, value] = cut(text, "=");
    if (value === undefined)
      throw new VarveError("FILTER_INVALID", `invalid argument "${text}": bad format of filter (expected name=value)`);
    const key = name.trim().toLowerCase();
    if (!Object.hasOwn(filters, key)) throw new VarveError("FILTER_INVALID", `invalid filter '${key}'`);
    filters[key as Name].push(value.trim());
  }
  return filters;
}

/** Whether labels have all that is asked for, as `name` or `name=value`. */
export function hasLabels(labels: Readonly<Record<string, string>>, wanted: readonly string[]): boolean {
  return wanted.every((text) => {
    const [name, value] = cut(text, "=");
    const found = Object.hasOwn(labels, name) ? labels[name] : undefined;
    return value === undefined ? found !== undefined : found === value;
  });
}

/** The truth that a filter asks for, undefined where it is not given. Fails with FILTER_INVALID. */
export function readTruth(name: string, values: readonly string[]): boolean | undefined {
  const [value] = values;
  if (value === undefined) return undefined;
  if (!/^(?:1|t|true|0|f|false)$/i.test(value))
    throw new VarveError("FILTER_INVALID", `invalid filter '${name}=[${values.join(" ")}]'`);
  return /^(?:1|t|true)$/i.test(value);
}

/** Labels as a column of a list shows them. */
export function formatLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .toSorted()
    .join(",");
}
