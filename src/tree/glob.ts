import { VarveError } from "../errors/index.ts";

/**
 * One compiled pattern. Matching walks the set of positions that the pattern can be in (no backtracking), so the time is
 * at most pattern length × path length, whatever the pattern.
 */
export interface Glob {
  /** Whether the whole of `path` matches. */
  matches(path: string): boolean;
  /** Whether some path that begins with `folder/` could match. May say true too often, never false wrongly. */
  mayMatchBelow(folder: string): boolean;
}

/**
 * `wildcard` is Go's `filepath.Match`: `*` and `?` stop at slashes. `ignore` adds moby/patternmatcher's `**`: any depth,
 * none included; at the end everything that follows.
 */
export type GlobDialect = "wildcard" | "ignore";

type Token =
  | { readonly kind: "literal"; readonly code: number }
  | { readonly kind: "one" } // ?
  | { readonly kind: "star" } // any run without a slash
  | { readonly kind: "rest" } // any run
  | { readonly kind: "folders" } // nothing, or go on to "inside"
  | { readonly kind: "inside" } // any run that ends in a slash
  | { readonly kind: "class"; readonly negated: boolean; readonly ranges: readonly (readonly [number, number])[] };

const slash = 0x2f;

/** Compiles a pattern; a malformed one is TREE_PATTERN. */
export function compileGlob(pattern: string, dialect: GlobDialect): Glob {
  const tokens = parse(pattern, dialect);
  const head = literalRun(tokens);
  if (head.length === tokens.length) {
    return { matches: (path) => path === head.text, mayMatchBelow: (folder) => head.text.startsWith(`${folder}/`) };
  }
  const tail = literalRun(tokens.toReversed(), true);
  const machine = createMachine(tokens);
  return {
    matches: (path) => path.startsWith(head.text) && path.endsWith(tail.text) && machine.run(path) === "accepted",
    mayMatchBelow: (folder) => machine.run(`${folder}/`) !== "dead",
  };
}

function parse(pattern: string, dialect: GlobDialect): Token[] {
  const chars = Array.from(pattern);
  const tokens: Token[] = [];
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? "";
    if (char === "*" && dialect === "ignore" && chars[i + 1] === "*") {
      const slashFollows = chars[i + 2] === "/";
      const end = i + (slashFollows ? 3 : 2);
      const leadsPlainText = i === 0 && !slashFollows && !/[*?[\]\\]/.test(chars.slice(end).join(""));
      // moby/patternmatcher compares such a pattern (`**.log`) as a suffix: any text may stand before, not only folders.
      if (end === chars.length || leadsPlainText) tokens.push({ kind: "rest" });
      else tokens.push({ kind: "folders" }, { kind: "inside" });
      i = end - 1;
    } else if (char === "*") tokens.push({ kind: "star" });
    else if (char === "?") tokens.push({ kind: "one" });
    else if (char === "[") {
      const [token, next] = parseClass(chars, i + 1, { pattern, dialect });
      tokens.push(token);
      i = next - 1;
    } else if (char === "\\") {
      i += 1;
      tokens.push({ kind: "literal", code: codeOf(chars[i], pattern) });
    } else tokens.push({ kind: "literal", code: codeOf(char, pattern) });
  }
  return tokens;
}

function parseClass(chars: readonly string[], start: number, from: { pattern: string; dialect: GlobDialect }): [Token, number] {
  let i = start;
  const negated = chars[i] === "^";
  if (negated) i += 1;
  const ranges: [number, number][] = [];
  const bound = (): number => {
    if (chars[i] === "-" || chars[i] === "]") throw malformed(from.pattern);
    if (chars[i] === "\\") i += 1;
    const code = codeOf(chars[i], from.pattern);
    i += 1;
    return code;
  };
  while (chars[i] !== "]" || ranges.length === 0) {
    const low = bound();
    let high = low;
    if (chars[i] === "-") {
      i += 1;
      high = bound();
    }
    // filepath.Match lets [z-a] pass as a class of nothing; the regular expression that moby makes of it does not compile.
    if (low > high && from.dialect === "ignore") throw malformed(from.pattern);
    ranges.push([low, high]);
  }
  return [{ kind: "class", negated, ranges }, i + 1];
}

function codeOf(char: string | undefined, pattern: string): number {
  const code = char?.codePointAt(0);
  if (code === undefined) throw malformed(pattern);
  return code;
}

/** The error for a pattern that `filepath.Match` calls bad. */
export function malformed(pattern: string): VarveError {
  return new VarveError("TREE_PATTERN", `the pattern ${JSON.stringify(pattern)} is malformed`, {
    hint: "close every `[` with a `]`, and write a special character as itself with a `\\` before it",
    details: { pattern },
  });
}

function literalRun(tokens: readonly Token[], reversed = false): { text: string; length: number } {
  const end = tokens.findIndex((token) => token.kind !== "literal");
  const run = end === -1 ? tokens : tokens.slice(0, end);
  const chars = run.map((token) => (token.kind === "literal" ? String.fromCodePoint(token.code) : ""));
  return { text: (reversed ? chars.toReversed() : chars).join(""), length: run.length };
}

/** Position i stands before token i; the last one accepts. Works in place on two lists, so it must not be re-entered. */
function createMachine(tokens: readonly Token[]): { run(text: string): "accepted" | "alive" | "dead" } {
  const size = tokens.length + 1;
  const seen = new Int32Array(size);
  let current = new Int32Array(size);
  let next = new Int32Array(size);
  let count = 0;
  let round = 0;

  const enter = (list: Int32Array, position: number): void => {
    for (let at = position; seen[at] !== round; at++) {
      seen[at] = round;
      list[count++] = at;
      const kind = tokens[at]?.kind;
      if (kind === "folders") enter(list, at + 2);
      else if (kind !== "star" && kind !== "rest") return;
    }
  };
  const step = (position: number, code: number): void => {
    const token = tokens[position];
    if (token === undefined) return;
    switch (token.kind) {
      case "literal":
        if (token.code === code) enter(next, position + 1);
        return;
      case "one":
        if (code !== slash) enter(next, position + 1);
        return;
      case "star":
        if (code !== slash) enter(next, position);
        return;
      case "class":
        if (token.ranges.some(([low, high]) => low <= code && code <= high) !== token.negated) enter(next, position + 1);
        return;
      case "rest":
        enter(next, position);
        return;
      case "inside":
        enter(next, position);
        if (code === slash) enter(next, position + 1);
        return;
      case "folders": // entering it entered what follows
        return;
    }
  };

  return {
    run(text) {
      // The marks are round numbers, so that they need no wiping; they start anew long before they overflow.
      if (round > 1 << 29) {
        seen.fill(0);
        round = 0;
      }
      round += 1;
      count = 0;
      enter(current, 0);
      for (let i = 0; i < text.length; i++) {
        const code = text.codePointAt(i) ?? 0;
        if (code > 0xffff) i += 1;
        const alive = count;
        round += 1;
        count = 0;
        for (let k = 0; k < alive; k++) step(current[k] ?? 0, code);
        if (count === 0) return "dead";
        [current, next] = [next, current];
      }
      return seen[size - 1] === round ? "accepted" : "alive";
    },
  };
}
