import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createMatcher, parsePattern, type PatternToken } from "./patterns.ts";

function match(pattern: string, value: string, longest: boolean, start = 0): number {
  const tokens = parsePattern(pattern);
  assert.ok(!("problem" in tokens));
  return createMatcher(tokens, Array.from(value)).endOfMatch(start, longest);
}

test("V05 a star takes as little or as much as it can", () => {
  assert.equal(match("*x", "axbxc", false), 2);
  assert.equal(match("*x", "axbxc", true), 4);
  assert.equal(match("*", "abc", false), 0);
  assert.equal(match("*", "abc", true), 3);
  assert.equal(match("a*b*c", "aXbYcZbc", false), 5);
  assert.equal(match("b", "axb", true, 2), 3);
});

test("V08 a question mark is one character, outside the first plane too, but no line end", () => {
  assert.equal(match("?b", "\u{1f600}b", true), 2);
  assert.equal(match("?b", "\nb", true), -1);
  assert.equal(match("a*b", "a\nb", true), -1);
});

test("V08 brackets are ordinary, and five characters can be escaped", () => {
  assert.equal(match("[a]", "[a]", true), 3);
  assert.equal(match("\\*\\?\\\\\\/\\}", "*?\\/}", true), 5);
  assert.deepEqual(parsePattern("\\n"), { problem: "invalid escape '\\n'" });
  assert.deepEqual(parsePattern("a\\"), { problem: "invalid escape '\\'" });
});

test("V05 matching agrees with a regular expression", () => {
  const chars = fc.constantFrom("a", "b", "*", "?", "\n");
  fc.assert(
    fc.property(fc.array(chars, { maxLength: 6 }), fc.array(chars, { maxLength: 10 }), fc.boolean(), (p, v, longest) => {
      const [pattern, value] = [p.join(""), v.join("").replaceAll("*", "a")];
      const source = pattern.replaceAll("?", ".").replaceAll("*", longest ? ".*" : ".*?");
      const found = new RegExp(`^${source}`).exec(value);
      assert.equal(match(pattern, value, longest), found === null ? -1 : found[0].length);
    }),
  );
});

test("V07 a pattern made to backtrack costs no more than its length times the value's", () => {
  const tokens = parsePattern(`${"a*".repeat(50)}b`) as readonly PatternToken[];
  assert.equal(createMatcher(tokens, Array.from("a".repeat(2000))).endOfMatch(0, true), -1);
});
