import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isVarveError } from "../errors/index.ts";
import { expandRaw, expandWord, expandWords, type Environment, type ExpandOptions } from "./expand-word.ts";

const values: Readonly<Record<string, string>> = {
  name: "value",
  empty: "",
  path: "/usr/local/lib/x.tar.gz",
  two: "one two",
  "1": "first",
};
const env: Environment = Object.assign((name: string) => (Object.hasOwn(values, name) ? values[name] : undefined), {
  names: () => Object.keys(values),
});
const expand = (word: string, options: Partial<ExpandOptions> = {}): string =>
  expandWord(word, env, { escape: "\\", ...options }).value;

function fails(word: string, message: RegExp, options: Partial<ExpandOptions> = {}): void {
  assert.throws(
    () => expand(word, options),
    (error: unknown) => isVarveError(error) && error.code === "DOCKERFILE_SUBSTITUTION" && message.test(error.message),
    word,
  );
}

/** Each row: a word and what it becomes. */
function table(rows: readonly (readonly [word: string, value: string])[]): void {
  for (const [word, value] of rows) assert.equal(expand(word), value, word);
}

test("V01 a variable gives its value, or nothing when it is not set", () => {
  table([
    ["$name", "value"],
    ["a${name}b", "avalueb"],
    ["$name.txt", "value.txt"],
    ["[$unset]", "[]"],
    ["${unset}", ""],
    ["$nameX", ""],
    ["100$", "100$"],
    ["$ x", "$ x"],
    ["$.", "$."],
  ]);
});

test("V02 a default stands in for unset, with a colon also for empty", () => {
  table([
    ["${unset:-d}", "d"],
    ["${unset-d}", "d"],
    ["${empty:-d}", "d"],
    ["${empty-d}", ""],
    ["${name:-d}", "value"],
    ["${unset:-}", ""],
  ]);
});

test("V03 an alternate stands in for set, with a colon not for empty", () => {
  table([
    ["${name:+a}", "a"],
    ["${name+a}", "a"],
    ["${empty:+a}", ""],
    ["${empty+a}", "a"],
    ["${unset:+a}", ""],
    ["${unset+a}", ""],
  ]);
});

test("V04 a required variable refuses with its message or a default one", () => {
  assert.equal(expand("${name:?no}${empty?no}"), "value");
  fails("${unset:?}", /unset: is not allowed to be unset$/);
  fails("${empty:?}", /empty: is not allowed to be empty$/);
  fails("${unset?give $name}", /unset: give value$/);
});

test("V04 the refusal hints at a variable of a similar name", () => {
  assert.throws(
    () => expand("${nane:?}"),
    (error: unknown) => isVarveError(error) && error.hint === "did you mean name?",
  );
});

test("V05 a prefix is stripped, shortest or longest", () => {
  table([
    ["${path#*/}", "usr/local/lib/x.tar.gz"],
    ["${path##*/}", "x.tar.gz"],
    ["${path#nope}", "/usr/local/lib/x.tar.gz"],
    ["${path#/???/}", "local/lib/x.tar.gz"],
    ["${unset#a}", ""],
  ]);
});

test("V06 a suffix is stripped, shortest or longest", () => {
  table([
    ["${path%.*}", "/usr/local/lib/x.tar"],
    ["${path%%.*}", "/usr/local/lib/x"],
    ["${path%/*}", "/usr/local/lib"],
    ["${path%\\*}", "/usr/local/lib/x.tar.gz"],
  ]);
});

test("V07 the first or every match is replaced, the longest at its place", () => {
  table([
    ["${two/one/1}", "1 two"],
    ["${path//l/L}", "/usr/LocaL/Lib/x.tar.gz"],
    ["${path/\\//:}", ":usr/local/lib/x.tar.gz"],
    ["${path//\\//}", "usrlocallibx.tar.gz"],
    ["${two/o*/x}", "x"],
    ["${name///-}", "-v-a-l-u-e-"],
    ["${name//*/x}", "x"],
    ["${name//?/.}", "....."],
    ["${name/l/\\/}", "va\\/ue"],
    ["${name//l/$two}", "vaone twoue"],
    ["${name//l/<\\$0\\$x\\$\\$>}", "va<\\l\\\\$\\$>ue"],
    ["${name/l/\\$0}", "va\\$0ue"],
  ]);
});

test("V08 an escape without meaning in a pattern is an error", () => {
  fails("${name#\\v}", /invalid pattern \(\\v\) in substitution: invalid escape '\\v'/);
  fails("${name/\\a/b}", /invalid pattern/);
});

test("V09 words of a substitution hold variables and quotes", () => {
  table([
    ["${unset:-$name}", "value"],
    ["${unset:-${empty:-${name}}}", "value"],
    ["${unset:-'}'}", "}"],
    ['${unset:-"a b"}', "a b"],
    ["${unset:-\\}}", "}"],
    ["${path#${unset:-/usr}}", "/local/lib/x.tar.gz"],
  ]);
});

test("V09 nesting has a limit", () => {
  assert.equal(expand(`${"${u:-".repeat(90)}x${"}".repeat(90)}`), "x");
  fails(`${"${u:-".repeat(200)}x${"}".repeat(200)}`, /nested more than 100 deep/);
});

test("V10 digits and special parameters are names", () => {
  table([
    ["$1", "first"],
    ["${1}st", "firstst"],
    ["$12", ""],
    ["a$@b$*c$#d$?e$-f$$g$!h", "abcdefgh"],
    ["$émile", ""],
  ]);
});

test("V11 what cannot be read is an error that says what is missing", () => {
  fails("${", /missing '}'/);
  fails("${}", /bad substitution/);
  fails("${:x}", /bad substitution/);
  fails("${{x}}", /bad substitution/);
  fails("${name", /missing '}'/);
  fails("${name:-x", /missing '}'/);
  fails("${name/x", /missing '\/' in/);
  fails("${name/x/y", /missing '}'/);
  fails("${name:x}", /unsupported modifier \(:x\)/);
  fails("${name^}", /unsupported modifier \(\^\)/);
  fails("${name:#x}", /unsupported modifier \(:#\)/);
  fails("'open", /matching single-quote/);
  fails('"open', /matching double-quote/);
});

test("V12 quotes go, single ones keep everything, double ones keep all but variables", () => {
  table([
    ["'$name \\x'", "$name \\x"],
    ['"$name  x"', "value  x"],
    ['"a\\"b\\$name\\\\c\\n"', 'a"b$name\\c\\n'],
    ["a'b'\"c\"", "abc"],
    ["\\$name", "$name"],
    ["a\\ b\\n", "a bn"],
    ["end\\", "end"],
  ]);
});

test("V12 the escape character is the file's", () => {
  assert.equal(expand("C:\\dir`$name", { escape: "`" }), "C:\\dir$name");
  assert.equal(expand('"`"\\"', { escape: "`" }), '"\\');
});

test("V13 heredoc bodies keep quotes and lose escapes", () => {
  const { value } = expandRaw("a\\tb \"q $name\" '$name' \\$name \\\\ `x`\n", env);
  assert.equal(value, "atb \"q value\" 'value' $name \\ `x`\n");
});

test("V13 the name of a step keeps quotes and variables that are not set", () => {
  const show = { quotes: "keep", unset: "keep" } as const;
  assert.equal(
    expand("RUN echo \"$name\" '$name' $HOME ${HOME} ${HOME:-/x}", show),
    "RUN echo \"value\" '$name' $HOME ${HOME} ${HOME:-/x}",
  );
  assert.equal(expand("${HOME#/} ${HOME//a/b}", show), "${HOME#/} ${HOME//a/b}");
});

test("V13 splitting comes after expansion and heeds quotes", () => {
  const words = (text: string): readonly string[] => expandWords(text, env, { escape: "\\" }).words;
  assert.deepEqual(words("a $two b"), ["a", "one", "two", "b"]);
  assert.deepEqual(words("a \"$two\" 'c d'e\\ f"), ["a", "one two", "c de f"]);
  assert.deepEqual(words("80${unset:-80} '' $unset"), ["8080"]);
});

test("N11 an expansion tells which variables were set and which not", () => {
  const { matched, unmatched } = expandWord("$name ${unset:-x} $other '$quoted'", env, { escape: "\\" });
  assert.deepEqual([...matched], ["name"]);
  assert.deepEqual([...unmatched], ["unset", "other"]);
});

test("V07 replacements cannot grow without bound", () => {
  let word = "x";
  for (let level = 0; level < 60; level++) word = `\${path//?/${word}}`;
  fails(word, /longer than/);
});

test("V11 any text expands or fails with a code", () => {
  const piece = fc.constantFrom(
    "$",
    "{",
    "}",
    "${",
    ":-",
    "/",
    "//",
    "#",
    "%%",
    "'",
    '"',
    "\\",
    "`",
    "name",
    "two",
    "<<",
    " ",
    "*",
    "?",
    "é",
  );
  const word = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join("")),
  );
  const options = fc.record({
    escape: fc.constantFrom("\\" as const, "`" as const),
    quotes: fc.constantFrom("remove" as const, "keep" as const, "ignore" as const),
    escapes: fc.constantFrom("remove" as const, "keep" as const),
    unset: fc.constantFrom("empty" as const, "keep" as const),
  });
  fc.assert(
    fc.property(word, options, (text, chosen) => {
      try {
        expandWords(text, env, chosen);
      } catch (error) {
        assert.ok(isVarveError(error) && error.code === "DOCKERFILE_SUBSTITUTION", String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test("V01 a text without special characters is its own expansion", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!/[$'"\\]/.test(text));
      assert.equal(expand(text), text);
    }),
  );
});
