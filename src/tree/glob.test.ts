import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileGlob } from "./glob.ts";
import { hasWildcard, matchWildcard, splitWildcard } from "./wildcard.ts";

const code = (code: string) => ({ code });

test("C05 wildcards follow filepath.Match: stars and question marks stop at slashes", () => {
  const cases: [pattern: string, path: string, expected: boolean][] = [
    ["*", "abc", true],
    ["*", "a/b", false],
    ["a*/b", "abc/b", true],
    ["a*/b", "a/c/b", false],
    ["a?c", "abc", true],
    ["a?c", "a/c", false],
    ["?", "ü", true],
    ["?", "𝄞", true],
    ["**", "ab", true],
    ["**", "a/b", false],
    ["*.go", "main.go", true],
    ["*x*y*z", "axbyc", false],
    ["", "", true],
    ["", "a", false],
  ];
  for (const [pattern, path, expected] of cases) assert.equal(matchWildcard(pattern, path), expected, `${pattern} ${path}`);
});

test("C05 classes have ranges, negation by ^ and escapes, and may match a slash", () => {
  const cases: [pattern: string, path: string, expected: boolean][] = [
    ["[a-c]x", "bx", true],
    ["[a-c]x", "dx", false],
    ["[^a-c]x", "dx", true],
    ["[^a-c]x", "ax", false],
    ["[!a]", "!", true],
    ["a[^x]b", "a/b", true],
    ["[\\]]", "]", true],
    ["[\\-x]", "-", true],
    ["[z-a]", "m", false],
    ["]", "]", true],
    ["arr[[]0].txt", "arr[0].txt", true],
    ["\\*", "*", true],
    ["\\*", "x", false],
    ["\\d", "d", true],
  ];
  for (const [pattern, path, expected] of cases) assert.equal(matchWildcard(pattern, path), expected, `${pattern} ${path}`);
});

test("C05 a malformed pattern is an error that names it, even when its beginning does not match", () => {
  for (const pattern of ["[", "[]", "[^]", "[a", "[a-", "[-a]", "[a-]", "x[", "\\", "a\\", "[\\", "[]a]"]) {
    assert.throws(() => matchWildcard(pattern, "y"), code("TREE_PATTERN"), pattern);
    assert.throws(() => matchWildcard(pattern, "y"), { details: { pattern } });
  }
});

test("C05 an escaped special character is no wildcard", () => {
  assert.ok(hasWildcard("/a/*.txt"));
  assert.ok(hasWildcard("a?"));
  assert.ok(hasWildcard("a[b]"));
  assert.ok(hasWildcard("a\\\\*"));
  assert.ok(!hasWildcard("a\\*b"));
  assert.ok(!hasWildcard("a\\"));
  assert.ok(!hasWildcard("a/b"));
});

test("C05 the part before the first wildcard is a path, the rest a pattern", () => {
  assert.deepEqual(splitWildcard("a/b/*.c/d"), { base: "/a/b", pattern: "*.c/d" });
  assert.deepEqual(splitWildcard("/*"), { base: "/", pattern: "*" });
  assert.deepEqual(splitWildcard("a/./b/"), { base: "/a/b", pattern: "" });
});

test("G05 double stars match any depth, none included", () => {
  const cases: [pattern: string, path: string, expected: boolean][] = [
    ["**", "a", true],
    ["**", "a/b/c", true],
    ["**/x", "x", true],
    ["**/x", "a/b/x", true],
    ["**/x", "ax", false],
    ["a/**", "a/b/c", true],
    ["a/**", "a", false],
    ["a/**/b", "a/b", true],
    ["a/**/b", "a/x/y/b", true],
    ["a/**/b", "ab", false],
    ["a**/b", "axx/yy/b", true],
    ["**/*.log", "x.log", true],
    ["**/*.log", "a/b/x.log", true],
    ["**/a/**/b", "q/a/b", true],
    ["**.log", "x.log", true],
    ["**.log", "a/x.log", true],
    ["**foo*", "xfoo", false],
    ["a**", "abc/d", true],
    ["**/**", "a/b", true],
    ["***", "a/b", true],
  ];
  for (const [pattern, path, expected] of cases) {
    assert.equal(compileGlob(pattern, "ignore").matches(path), expected, `${pattern} ${path}`);
  }
});

/** The pattern as a regular expression of JavaScript: slow on bad luck, but plainly right. */
function naive(pattern: string): RegExp {
  const source = pattern.replace(/\*\*\/?$|\*\*\/?|\*|\?|[^*?]/g, (piece, at: number) => {
    if (piece.startsWith("**")) return at + piece.length === pattern.length ? ".*" : "(?:.*/)?";
    return piece === "*" ? "[^/]*" : piece === "?" ? "[^/]" : piece.replace(/[.+()|{}$^\\[\]]/g, "\\$&");
  });
  return new RegExp(`^${source}$`, "s");
}

const alphabet = (letters: string) => fc.string({ unit: fc.constantFrom(...letters.split("")), maxLength: 8 });

test("G05 matching agrees with the regular expression that a pattern means", () => {
  fc.assert(
    fc.property(alphabet("ab/*?."), alphabet("ab/."), (pattern, path) => {
      // A `**` that begins plain text is a suffix instead; it has a test of its own.
      fc.pre(!/^\*\*[^/]/.test(pattern) && !pattern.includes("***"));
      assert.equal(compileGlob(pattern, "ignore").matches(path), naive(pattern).test(path));
    }),
    { numRuns: 3000 },
  );
});

test("G05 a folder below which something matches is never cut off", () => {
  fc.assert(
    fc.property(alphabet("ab/*?"), alphabet("ab/"), (pattern, path) => {
      const glob = compileGlob(pattern, "ignore");
      fc.pre(glob.matches(path));
      for (let at = path.indexOf("/", 1); at > 0; at = path.indexOf("/", at + 1)) {
        assert.ok(glob.mayMatchBelow(path.slice(0, at)), `${pattern} ${path}`);
      }
    }),
    { numRuns: 2000 },
  );
});

test("G05 patterns that blow up a backtracking matcher need few steps", () => {
  const glob = compileGlob(`${"**/a*a*a*".repeat(8)}b`, "ignore");
  assert.equal(glob.matches("a/a".repeat(1300)), false);
  assert.equal(compileGlob("*a".repeat(30), "wildcard").matches(`${"a".repeat(4000)}c`), false);
});

test("G05 any text either compiles or is a malformed pattern", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 20 }), fc.string({ unit: "binary" }), (pattern, path) => {
      for (const dialect of ["ignore", "wildcard"] as const) {
        try {
          compileGlob(pattern, dialect).matches(path);
        } catch (error) {
          assert.ok(error instanceof Error && "code" in error && error.code === "TREE_PATTERN");
        }
      }
    }),
  );
});
