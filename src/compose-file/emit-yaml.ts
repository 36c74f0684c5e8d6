import { compareKeys } from "./natural-order.ts";
import { resolvePlainScalar } from "./plain-scalar.ts";

/** What can be written: maps keep the order of their entries, plain objects are sorted. */
export type Printable = string | number | boolean | null | readonly Printable[] | ReadonlyMap<string, Printable>;

/** Any JSON-like value as something to print, the keys of its objects in go-yaml's order or another. */
export function toPrintable(value: unknown, compare = compareKeys): Printable {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map((item) => toPrintable(item, compare));
  if (typeof value === "object") {
    const sorted = Object.entries(value).toSorted(([left], [right]) => compare(left, right));
    return new Map(sorted.map(([key, part]) => [key, toPrintable(part, compare)]));
  }
  return value as string | number | boolean;
}

/** YAML in the style of go-yaml with an indent of two: what `docker compose config` prints. */
export function emitYaml(value: Printable): string {
  return `${emit(value, 0).replace(/^\n/, "")}\n`;
}

function emit(value: Printable, indent: number): string {
  const pad = " ".repeat(indent);
  if (value instanceof Map) {
    if (value.size === 0) return "{}";
    return [...value].map(([key, part]) => `\n${pad}${emitText(key, indent, true)}:${emitAfter(part, indent + 2)}`).join("");
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return value.map((item: Printable) => `\n${pad}- ${emit(item, indent + 2).replace(/^\n */, "")}`).join("");
  }
  if (typeof value === "string") return emitText(value, indent, false);
  if (typeof value === "number") return emitNumber(value);
  return value === null ? "null" : String(value === true);
}

function emitAfter(value: Printable, indent: number): string {
  const text = emit(value, indent);
  return text.startsWith("\n") ? text : ` ${text}`;
}

function emitNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? ".nan" : `${value < 0 ? "-" : ""}.inf`;
  return String(value).replace(/e([-+])(\d)$/, "e$10$2");
}

function emitText(text: string, indent: number, isKey: boolean): string {
  if (text.includes("\n") && !isKey) {
    // A literal block can hold anything but what its lines cannot show
    if (!/[ \t]$|[ \t]\n|[^\n\t\x20-\x7e\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text))
      return emitBlock(text, indent);
    return emitDoubleQuoted(text);
  }
  if (typeof resolvePlainScalar(text) !== "string" || isOldForm(text)) return emitDoubleQuoted(text);
  // oxlint-disable-next-line no-control-regex -- these are what single quotes cannot hold
  if (/[\t\n\u0000-\u001f\u007f-\u0084\u0086-\u009f\ufeff]/.test(text)) return emitDoubleQuoted(text);
  return canBePlain(text) ? text : `'${text.replaceAll("'", "''")}'`;
}

/** Words and numbers that an older YAML took for something else. */
function isOldForm(text: string): boolean {
  return (
    /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/.test(text) ||
    /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/.test(text) ||
    /^\d{4}-\d\d?-\d\d?(?:$|[Tt ])/.test(text)
  );
}

function canBePlain(text: string): boolean {
  if (/^[\s]|[\s]$|^(?:---|\.\.\.)/.test(text)) return false;
  if (/^[#,[\]{}&*!|>'"%@`]/.test(text) || /^[-?:](?:\s|$)/.test(text)) return false;
  return !/:(?:\s|$)|\s#/.test(text);
}

function emitBlock(text: string, indent: number): string {
  const pad = " ".repeat(indent);
  const chomp = text.endsWith("\n") ? (/\n\n$|^\n$/.test(text) ? "+" : "") : "-";
  const hint = /^[ \n]/.test(text) ? "2" : "";
  const lines = text.replace(/\n$/, "").split("\n");
  return `|${hint}${chomp}\n${lines.map((line) => (line === "" ? "" : pad + line)).join("\n")}`;
}

const named: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\x1b": "\\e",
  '"': '\\"',
  "\\": "\\\\",
  "\u0085": "\\N",
  "\u2028": "\\L",
  "\u2029": "\\P",
  "\ufeff": "\\uFEFF",
};

function emitDoubleQuoted(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is escaped
  const escaped = text.replaceAll(/["\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]/g, (unit) => {
    return named[unit] ?? `\\x${unit.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
  return `"${escaped}"`;
}
