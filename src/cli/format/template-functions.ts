import { formatGoValue, isTrue, toJson } from "./go-value.ts";
import { formatPrintf } from "./printf.ts";

export type TemplateFunction = (...args: readonly unknown[]) => unknown;

/** Says what is wrong with a call; the template adds where. */
export class CallFailure extends Error {}

/** `and` and `or` are not here: they look at no more than they need. */
export const templateFunctions: Readonly<Record<string, TemplateFunction>> = {
  // Go's own. (text/template, "Functions")
  not: (value) => !isTrue(value),
  len: (value) => {
    if (typeof value === "string") return Buffer.byteLength(value);
    if (Array.isArray(value)) return value.length;
    if (value instanceof Map) return value.size;
    if (typeof value === "object" && value !== null) return Object.keys(value).length;
    throw new CallFailure(`len of ${kindOf(value)}`);
  },
  index: (value, ...keys) => keys.reduce(indexOne, value),
  slice: (value, from = 0, to) => {
    if (typeof value !== "string" && !Array.isArray(value)) throw new CallFailure(`can't slice item of type ${kindOf(value)}`);
    const length = value.length;
    const [start, end] = [Number(from), to === undefined ? length : Number(to)];
    if (start < 0 || end > length || start > end) throw new CallFailure(`index out of range: ${start > length ? start : end}`);
    return value.slice(start, end);
  },
  eq: (first, ...others) => others.some((other) => sameValue(first, other)),
  ne: (left, right) => !sameValue(left, right),
  lt: (left, right) => compare(left, right) < 0,
  le: (left, right) => compare(left, right) <= 0,
  gt: (left, right) => compare(left, right) > 0,
  ge: (left, right) => compare(left, right) >= 0,
  print: (...values) => values.map((value) => formatGoValue(value)).join(" "),
  println: (...values) => `${values.map((value) => formatGoValue(value)).join(" ")}\n`,
  printf: (format, ...values) => formatPrintf(text(format), values),
  urlquery: (...values) => encodeURIComponent(values.map((value) => formatGoValue(value)).join(" ")),
  // Docker's. (docs, "Format command and log output")
  json: (value) => toJson(value),
  split: (value, separator) => text(value).split(text(separator)),
  join: (values, separator) => {
    if (!Array.isArray(values)) throw new CallFailure(`wrong type for value; expected []string; got ${kindOf(values)}`);
    return values.map((value) => formatGoValue(value)).join(text(separator));
  },
  title: (value) =>
    text(value).replace(/(^|[^\p{L}\p{N}_'])(\p{Ll})/gu, (_, before: string, letter: string) => before + letter.toUpperCase()),
  lower: (value) => text(value).toLowerCase(),
  upper: (value) => text(value).toUpperCase(),
  pad: (value, before, after) =>
    text(value) === "" ? "" : `${" ".repeat(Number(before))}${text(value)}${" ".repeat(Number(after))}`,
  truncate: (value, length) => Array.from(text(value)).slice(0, Number(length)).join(""),
};

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw new CallFailure(`wrong type for value; expected string; got ${kindOf(value)}`);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "[]string";
  if (value === null || value === undefined) return "nil";
  return { number: "int", boolean: "bool", object: "map", string: "string" }[typeof value as string] ?? typeof value;
}

function indexOne(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) {
    if (typeof key !== "number" || key < 0 || key >= value.length) throw new CallFailure(`index out of range: ${String(key)}`);
    return (value as unknown[])[key];
  }
  if (value instanceof Map) return (value as Map<unknown, unknown>).get(key) ?? "";
  if (typeof value === "object" && value !== null && typeof key === "string")
    return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : "";
  throw new CallFailure(`can't index item of type ${kindOf(value)}`);
}

function sameValue(left: unknown, right: unknown): boolean {
  if ((left ?? undefined) === (right ?? undefined)) return true;
  if (left !== null && left !== undefined && right !== null && right !== undefined && typeof left !== typeof right)
    throw new CallFailure("incompatible types for comparison");
  return false;
}

function compare(left: unknown, right: unknown): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  if (typeof left === "string" && typeof right === "string") return Buffer.compare(Buffer.from(left), Buffer.from(right));
  throw new CallFailure("incompatible types for comparison");
}
