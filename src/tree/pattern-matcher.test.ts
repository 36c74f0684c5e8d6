import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isVarveError } from "../errors/index.ts";
import { parseIgnoreFile } from "./ignore-file.ts";
import { createPatternMatcher, type MatchInfo, type PatternMatcher } from "./pattern-matcher.ts";

function expectMatches(patterns: string[], matched: string[], unmatched: string[]): void {
  const matcher = createPatternMatcher(patterns);
  for (const path of matched) assert.ok(matcher.matches(path), `${patterns.join(" ")} should match ${path}`);
  for (const path of unmatched) assert.ok(!matcher.matches(path), `${patterns.join(" ")} should not match ${path}`);
}

/** As a walk asks: from the root down, handing on what the folder above got. */
function walkTo(matcher: PatternMatcher, path: string): boolean {
  let info: MatchInfo | undefined;
  let matched = false;
  for (let at = path.indexOf("/"); ; at = path.indexOf("/", at + 1)) {
    const result = matcher.matchesWithParents(at === -1 ? path : path.slice(0, at), info);
    ({ info, matched } = result);
    if (at === -1) return matched;
  }
}

test("G05 a pattern that matches a folder takes everything below it", () => {
  expectMatches(["node_modules", "a/*/c"], ["node_modules", "node_modules/x/y", "a/b/c/d"], ["x/node_modules", "a/b"]);
});

test("G05 an exclamation mark takes back, also below an excluded folder, and the last match wins", () => {
  expectMatches(["docs", "!docs/README.md"], ["docs", "docs/a"], ["docs/README.md"]);
  expectMatches(["*.md", "!README*.md", "README-secret.md"], ["a.md", "README-secret.md"], ["README.md"]);
  expectMatches(["*", "!src"], ["a", "b/c"], ["src", "src/x/y"]);
});

test("G04 patterns are trimmed and cleaned, blank ones skipped", () => {
  expectMatches([" a/./b/ ", "", "  "], ["a/b", "a/b/c"], ["a"]);
  assert.deepEqual(createPatternMatcher(["a//b/../c", " ! x", "!y/"]).patterns, ["a/c", "! x", "!y"]);
});

test("G05 a lone exclamation mark and a malformed pattern are errors with the pattern", () => {
  assert.throws(() => createPatternMatcher(["!"]), { code: "TREE_PATTERN" });
  assert.throws(() => createPatternMatcher(["ok", "a[b"]), { code: "TREE_PATTERN", details: { pattern: "a[b" } });
  assert.throws(() => createPatternMatcher(["[z-a]"]), { code: "TREE_PATTERN" });
});

test("G05 the pattern that decided is known", () => {
  const matcher = createPatternMatcher(["*.log", "tmp", "!tmp/keep", "tmp/keep/not"]);
  assert.equal(matcher.decisivePattern("a.log"), "*.log");
  assert.equal(matcher.decisivePattern("tmp/a/b"), "tmp");
  assert.equal(matcher.decisivePattern("tmp/keep/not/x"), "tmp/keep/not");
  assert.equal(matcher.decisivePattern("tmp/keep"), undefined);
});

test("G05 an excluded folder is searched only where a negation could bring something back", () => {
  const matcher = createPatternMatcher(["*", "!src/lib/*.ts", "!**/LICENSE"]);
  assert.ok(matcher.mayUnmatchBelow("src"));
  assert.ok(matcher.mayUnmatchBelow("other")); // LICENSE may be anywhere
  const narrow = createPatternMatcher(["*", "!src/lib/*.ts"]);
  assert.ok(narrow.mayUnmatchBelow("src/lib"));
  assert.ok(!narrow.mayUnmatchBelow("srcx"));
  assert.ok(!narrow.mayUnmatchBelow("src/lib/a"));
  assert.ok(!createPatternMatcher(["a"]).mayUnmatchBelow("a"));
});

const paths = fc.array(fc.constantFrom("a", "b", "ab"), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const patterns = fc.array(
  fc.tuple(fc.boolean(), fc.array(fc.constantFrom("a", "b", "*", "**", "a?", "?"), { minLength: 1, maxLength: 3 })),
  { maxLength: 4 },
);

test("G05 one pattern alone is found by a walk exactly where it matches the path or a folder above", () => {
  fc.assert(
    fc.property(patterns, paths, (list, path) => {
      for (const [, parts] of list) {
        const matcher = createPatternMatcher([parts.join("/")]);
        assert.equal(walkTo(matcher, path), matcher.matches(path));
      }
    }),
  );
});

test("G05 what a walk does not descend into holds nothing that it would have found", () => {
  fc.assert(
    fc.property(patterns, paths, fc.constantFrom("a", "b", "ab"), (list, folder, name) => {
      const matcher = createPatternMatcher(list.map(([negated, parts]) => `${negated ? "!" : ""}${parts.join("/")}`));
      const below = `${folder}/${name}`;
      const [outer, inner] = [walkTo(matcher, folder), walkTo(matcher, below)];
      if (outer && !inner) assert.ok(matcher.mayUnmatchBelow(folder), `${matcher.patterns.join(" ")} ${below}`);
      if (!outer && inner) assert.ok(matcher.mayMatchBelow(folder), `${matcher.patterns.join(" ")} ${below}`);
    }),
    { numRuns: 3000 },
  );
});

test("G04 an ignore file loses its mark, comments, blanks and leading slashes", () => {
  const text = "\ufeff# comment\n /a/b/ \n\n  # not a comment\r\n!/keep\n! spaced \n/\nx/../y\n";
  assert.deepEqual(parseIgnoreFile(text), ["a/b", "# not a comment", "!keep", "!spaced", "/", "y"]);
});

const anyPattern = fc.oneof(
  fc.string({
    unit: fc.constantFrom(
      "a",
      "b",
      "*",
      "**",
      "?",
      "[",
      "]",
      "^",
      "-",
      "!",
      "\\\\",
      "/",
      ".",
      " ",
      "\u00e9",
      "\0",
      "{",
      "(",
      "+",
      "$",
    ),
    maxLength: 30,
  }),
  fc.string({ unit: "binary", maxLength: 20 }),
);

test("G05 any text is a pattern or a TREE_PATTERN, and matches in bounded time", { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.array(anyPattern, { maxLength: 5 }), anyPattern, (list, path) => {
      try {
        const matcher = createPatternMatcher(list);
        assert.equal(matcher.matches(path), matcher.decisiveRule(path)?.matched ?? false);
        matcher.mayMatchBelow(path);
        matcher.mayUnmatchBelow(path);
      } catch (error) {
        assert.ok(isVarveError(error) && error.code === "TREE_PATTERN", String(error));
      }
    }),
    { numRuns: 3_000, interruptAfterTimeLimit: 20_000 },
  );
  // What makes matchers that backtrack hang
  for (const pattern of [
    `${"a*".repeat(300)}b`,
    `${"**/".repeat(300)}b`,
    `${"*a?".repeat(200)}[b]`,
    `${"[a-z]*".repeat(200)}1`,
  ]) {
    const matcher = createPatternMatcher([pattern]);
    assert.equal(matcher.matches("a".repeat(3_000)), false);
    assert.equal(matcher.matches("a/".repeat(1_500)), false);
  }
});
