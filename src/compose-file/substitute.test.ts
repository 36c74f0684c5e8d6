import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findReferences, substitute } from "./substitute.ts";

const values: Readonly<Record<string, string>> = { A: "a", EMPTY: "" };
const unset: string[] = [];
const replace = (text: string): string =>
  substitute(text, { lookup: (name) => values[name], onUnset: (name) => unset.push(name) });

test("M44 every form of a variable", () => {
  for (const [text, expected] of [
    ["$A-${A}", "a-a"],
    ["${NONE:-d}|${EMPTY:-d}|${EMPTY-d}|${NONE-d}", "d|d||d"],
    ["${A:+p}|${EMPTY:+p}|${EMPTY+p}|${NONE+p}", "p||p|"],
    ["${A:?m}${A?m}${EMPTY?m}", "aa"],
    ["${NONE:-${EMPTY:-${A}}}", "a"],
    ['${NONE:-{"x":{}}}', '{"x":{}}'],
    ["$$A $${A} $$$A", "$A ${A} $a"],
    ["$ $1 $- a$", "$ $1 $- a$"],
    ["${NONE:-a:b-c?d+e}", "a:b-c?d+e"],
  ] as const) {
    assert.equal(replace(text), expected, text);
  }
});

test("M44 only a variable without a default is told to be unset", () => {
  unset.length = 0;
  assert.equal(replace("$ONE ${TWO} ${THREE:-x} ${FOUR+x}"), "  x ");
  assert.deepEqual(unset, ["ONE", "TWO"]);
});

test("M44 what is no form is refused", () => {
  for (const text of ["${}", "${1}", "${A", "${A B}", "${A!x}", "${a.b}", "${A:=x}"]) {
    assert.throws(() => replace(text), { code: "COMPOSE_INTERPOLATION", message: /invalid interpolation format/ }, text);
  }
  assert.throws(() => replace("${NONE?because $A}"), { message: "required variable NONE is missing a value: because a" });
});

test("M44 no text brings it down", () => {
  const part = fc.constantFrom("$", "{", "}", "A", "${", ":-", ":?", "+", "$$", "x");
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const text = parts.join("");
      try {
        replace(text);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "COMPOSE_INTERPOLATION");
      }
    }),
  );
  assert.throws(() => replace("${X:-".repeat(1000) + "}".repeat(1000)), { code: "COMPOSE_INTERPOLATION" });
});

test("M44 references are found, those in words of others too", () => {
  assert.deepEqual(
    findReferences("a$A${B:-${C:?x}}$$D").map(({ name, operator }) => [name, operator]),
    [
      ["A", undefined],
      ["B", ":-"],
      ["C", ":?"],
    ],
  );
});
