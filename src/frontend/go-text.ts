/*
 * History texts are made with Go's fmt verbs: what they print is part of the image.
 */

const named: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** A text as Go's `%q` prints it. */
export function quote(text: string): string {
  return `"${Array.from(text, (character) => escape(character, '"')).join("")}"`;
}

/** Texts as Go's `%q` prints a slice: `["a" "b"]`. */
export function quoteList(texts: readonly string[]): string {
  return `[${texts.map(quote).join(" ")}]`;
}

/** A number as Go's `%q` prints it: a quoted character. */
export function quoteRune(code: number): string {
  return `'${escape(String.fromCodePoint(code <= 0x10ffff ? code : 0xfffd), "'")}'`;
}

function escape(character: string, delimiter: string): string {
  if (character === delimiter) return `\\${character}`;
  const short = named[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0xd800 && code <= 0xdfff) return "\ufffd";
  if (printable.test(character)) return character;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

/** Nanoseconds as Go's `time.Duration` prints them: `1m30s`, `500ms`, `0s`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 1e9) {
    const [unit, size] =
      nanoseconds < 1e3 ? (["ns", 1] as const) : nanoseconds < 1e6 ? (["µs", 1e3] as const) : (["ms", 1e6] as const);
    return withFraction(nanoseconds, size) + unit;
  }
  const minutes = Math.floor(nanoseconds / 60e9);
  const seconds = `${withFraction(nanoseconds - minutes * 60e9, 1e9)}s`;
  if (minutes === 0) return seconds;
  const hours = Math.floor(minutes / 60);
  return `${hours > 0 ? `${hours}h` : ""}${minutes % 60}m${seconds}`;
}

function withFraction(value: number, size: number): string {
  const rest = value % size;
  const whole = String((value - rest) / size);
  if (rest === 0) return whole;
  const digits = String(size).length - 1;
  return `${whole}.${String(rest).padStart(digits, "0").replace(/0+$/, "")}`;
}
