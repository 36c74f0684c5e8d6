import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDotenv } from "./dotenv.ts";

const parse = (text: string, format?: string): Readonly<Record<string, string>> =>
  parseDotenv(text, { name: ".env", lookup: (name) => (name === "HOST" ? "host" : undefined), format });

test("M44 a .env file: comments, quotes, export, lines, variables", () => {
  const text = [
    "\uFEFF# a comment",
    "A=plain # comment",
    "B=a#b",
    "export C = spaced  ",
    "D='$A \\n'",
    'E="x\\ty \\$A ${A} \\"q\\" \\101"',
    "F: colon",
    'G="two',
    'lines"',
    "HOST",
    "NOT_THERE",
    "I=${HOST}-$A-${NONE:-d}",
    "J=",
    "K=it's",
    "L='it\\'s'",
    'M="a" # after',
    "",
  ].join("\r\n");
  assert.deepEqual(parse(text), {
    A: "plain",
    B: "a#b",
    C: "spaced",
    D: "$A \\n",
    E: 'x\ty $A plain "q" \\101',
    F: "colon",
    G: "two\nlines",
    HOST: "host",
    I: "host-plain-d",
    J: "",
    K: "it's",
    L: "it's",
    M: "a",
  });
});

test("M44 what cannot be read has its line", () => {
  for (const [text, message] of [
    ["A=1\nB C=2", "failed to read .env: line 2: key cannot contain a space"],
    ["A='x", "failed to read .env: line 1: unterminated quoted value"],
    ["\nA$=1", 'failed to read .env: line 2: unexpected character "$" in variable name "A$"'],
    ["A=${B", /line 1: invalid interpolation format/],
    ["=1", /a line has a value but no name/],
  ] as const) {
    assert.throws(() => parse(text), { code: "COMPOSE_ENV_FILE", message }, text);
  }
});

test("M49 a raw file has no quotes and no variables", () => {
  assert.deepEqual(parse("# c\nA='x' # $B\nB=\"\n  C=1 \nHOST\n", "raw"), { A: "'x' # $B", B: '"', C: "1 ", HOST: "host" });
  assert.throws(() => parse("A B=1", "raw"), { code: "COMPOSE_ENV_FILE" });
  assert.throws(() => parse("A=1", "toml"), { message: 'unsupported env_file format "toml"' });
});
