import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { emitYaml, toPrintable } from "./emit-yaml.ts";
import { toPlain } from "./node.ts";
import { parseYaml } from "./parse-yaml.ts";

const parse = (text: string): unknown => parseYaml({ name: "compose.yaml", text }).map(toPlain)[0];

test("M42 plain words are what go-yaml takes them for", () => {
  const text =
    "a: 0755\nb: 0o17\nc: 0x1F\nd: 1_000\ne: .5\nf: yes\ng: ~\nh: 1:30\ni: '1'\nj: !!str 1\nk: 1e3\nl: 08\nm: +1\nn: 9223372036854775807\no: True\n";
  const values = {
    a: 493,
    b: 15,
    c: 31,
    d: 1000,
    e: 0.5,
    f: "yes",
    g: null,
    h: "1:30",
    i: "1",
    j: "1",
    k: 1000,
    l: 8,
    m: 1,
    n: "9223372036854775807",
    o: true,
  };
  assert.deepEqual(parse(text), values);
});

test("M42 aliases and merge keys: what is written wins, then the first that is merged", () => {
  assert.deepEqual(parse("a: &x {k: 1, l: 2}\nb: {<<: [*x, {k: 3, m: 4}], l: 5}\nc: *x"), {
    a: { k: 1, l: 2 },
    b: { l: 5, k: 1, m: 4 },
    c: { k: 1, l: 2 },
  });
});

test("M42 aliases that multiply themselves end at the limit", () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let index = 1; index < 9; index++)
    lines.push(`a${index}: &a${index} [${Array.from({ length: 10 }, () => `*a${index - 1}`).join(", ")}]`);
  assert.throws(() => parse(lines.join("\n")), { code: "COMPOSE_TOO_LARGE" });
});

test("M42 values within values end at the limit", () => {
  assert.throws(() => parse(`a: ${"[".repeat(300)}${"]".repeat(300)}`), { code: "COMPOSE_TOO_LARGE" });
});

test("M42 an alias of what it stands in, and one of nothing, are refused", () => {
  assert.throws(() => parse("a: &x [*x]"), { code: "COMPOSE_YAML" });
  assert.throws(() => parse("a: *nope"), { code: "COMPOSE_YAML" });
});

test("M42 mistakes of YAML have their place", () => {
  assert.throws(
    () => parse("a: 1\nb: [1\nc: 2\n"),
    (error: { where?: { startLine: number } }) => error.where?.startLine === 2 || error.where?.startLine === 3,
  );
  assert.throws(() => parse("a: 1\na: 2\n"), { code: "COMPOSE_YAML", message: /mapping key "a" already defined/ });
  assert.throws(() => parse("- a\n"), { code: "COMPOSE_INVALID" });
});

test("M27 whatever is written as YAML is read as the same", () => {
  const leaf = fc.oneof(
    fc.string(),
    fc.string({ unit: "grapheme" }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom(
      "yes",
      "1",
      "1e3",
      "a: b",
      " x",
      "a\n",
      "\n",
      "\n a",
      "a\n\n",
      "- ",
      "#",
      "0x1",
      "~",
      "a #b",
      "'",
      "\t",
      "a\tb\n",
    ),
  );
  const key = fc
    .oneof(fc.string({ minLength: 1 }), fc.constantFrom("a", "b10", "b9"))
    .filter((text) => text !== "<<" && text !== "__proto__");
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ depthSize: "small" }, leaf, fc.array(tie("tree")), fc.dictionary(key, tie("tree"))),
  }));
  fc.assert(
    fc.property(fc.dictionary(key, tree), (value) => {
      const plain: unknown = JSON.parse(JSON.stringify(value));
      assert.deepEqual(parse(emitYaml(toPrintable(plain))) ?? {}, plain);
    }),
  );
});
