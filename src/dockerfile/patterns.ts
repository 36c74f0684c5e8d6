/**
 * The patterns of `${v#p}`, `${v%p}` and `${v/p/r}` (V05-V08): `*` any text, `?` any character, neither crossing a line
 * end; `\*`, `\?`, `\\`, `\/` and `\}` stand for themselves; there are no `[…]` classes. Matching is linear in pattern
 * times value, so no pattern can hang a build.
 */
export type PatternToken = { readonly kind: "many" } | { readonly kind: "one" } | { readonly kind: "is"; readonly ch: string };

/** Most cells (characters of the value times tokens of the pattern) that one match may look at. */
export const maxPatternCells = 16_777_216;

/** Reads a pattern. Answers a message, without prefix, when an escape in it has no meaning. */
export function parsePattern(pattern: string): readonly PatternToken[] | { readonly problem: string } {
  const tokens: PatternToken[] = [];
  const chars = Array.from(pattern);
  for (let at = 0; at < chars.length; at++) {
    const ch = chars[at]!;
    if (ch === "*") tokens.push({ kind: "many" });
    else if (ch === "?") tokens.push({ kind: "one" });
    else if (ch !== "\\") tokens.push({ kind: "is", ch });
    else {
      const escaped = chars[++at] ?? "";
      if (escaped === "" || !"*?\\/}".includes(escaped)) return { problem: `invalid escape '\\${escaped}'` };
      tokens.push({ kind: "is", ch: escaped });
    }
  }
  return tokens;
}

/** Finds matches in one value. Offsets count characters (code points), as the `value` array does. */
export interface Matcher {
  /** The end of the longest (or shortest) match that begins at `start`, or -1. */
  endOfMatch(start: number, longest: boolean): number;
}

/** Prepares matching of `tokens` in `value`; the caller keeps to {@link maxPatternCells}. */
export function createMatcher(tokens: readonly PatternToken[], value: readonly string[]): Matcher {
  const width = tokens.length + 1;
  // live[at * width + t] says that the tokens from t on can match at `at`; no state without it is ever followed
  const live = new Uint8Array((value.length + 1) * width);
  for (let at = value.length; at >= 0; at--) {
    live[at * width + tokens.length] = 1;
    for (let t = tokens.length - 1; t >= 0; t--) {
      const token = tokens[t]!;
      const skip = token.kind === "many" && live[at * width + t + 1] === 1;
      const eat = accepts(token, value[at]) && live[(at + 1) * width + (token.kind === "many" ? t : t + 1)] === 1;
      if (skip || eat) live[at * width + t] = 1;
    }
  }
  const close = (states: Set<number>, t: number, at: number): void => {
    for (let next = t; live[at * width + next] === 1 && !states.has(next); next++) {
      states.add(next);
      if (tokens[next]?.kind !== "many") return;
    }
  };
  return {
    endOfMatch(start, longest) {
      let states = new Set<number>();
      close(states, 0, start);
      let end = -1;
      for (let at = start; states.size > 0; at++) {
        if (states.has(tokens.length)) {
          end = at;
          if (!longest) break;
        }
        const next = new Set<number>();
        for (const t of states) {
          const token = tokens[t];
          if (token !== undefined && accepts(token, value[at])) close(next, token.kind === "many" ? t : t + 1, at + 1);
        }
        states = next;
      }
      return end;
    },
  };
}

function accepts(token: PatternToken, ch: string | undefined): boolean {
  if (ch === undefined) return false;
  return token.kind === "is" ? token.ch === ch : ch !== "\n";
}
