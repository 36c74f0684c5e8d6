/**
 * White space as BuildKit's parser sees it: Go's `unicode.IsSpace`. It differs from `\s` in U+0085 (space there, not
 * here) and U+FEFF (the reverse), so `trim()` would give other texts than Docker does.
 */
const space = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** True when the one UTF-16 unit `ch` is white space. */
export function isSpace(ch: string): boolean {
  return ch === " " || (ch !== "" && space.test(ch));
}

/** The offset of the first unit at or after `from` that is not white space. */
export function skipSpace(text: string, from = 0): number {
  let at = from;
  while (at < text.length && isSpace(text[at]!)) at++;
  return at;
}

/** One past the last unit before `to` that is not white space. */
export function skipSpaceBack(text: string, to = text.length): number {
  let at = to;
  while (at > 0 && isSpace(text[at - 1]!)) at--;
  return at;
}

/** `text` without white space at both ends. */
export function trimSpace(text: string): string {
  const start = skipSpace(text);
  return text.slice(start, Math.max(start, skipSpaceBack(text)));
}
