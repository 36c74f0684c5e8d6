import assert from "node:assert/strict";
import { test } from "node:test";
import { isVarveError, type ErrorCode } from "../errors/index.ts";
import { maxLineBytes } from "./lines.ts";
import { parseSyntax, printSyntax, printSyntaxBytes } from "./parse-syntax.ts";
import type { InstructionNode, SyntaxTree } from "./syntax.ts";

const parse = (source: string | Uint8Array): SyntaxTree => parseSyntax(source, { file: "Dockerfile" });

function only(source: string): InstructionNode {
  const { instructions } = parse(source);
  assert.equal(instructions.length, 1);
  return instructions[0]!;
}

function fails(source: string | Uint8Array, code: ErrorCode, line: number, message: RegExp): void {
  assert.throws(
    () => parse(source),
    (error: unknown) => {
      assert.ok(isVarveError(error), String(error));
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.equal(error.where?.startLine, line);
      assert.ok(error.where.source !== undefined);
      return true;
    },
  );
}

test("P01 a byte order mark is taken off and printed again", () => {
  const tree = parse("\ufeffFROM scratch\n");
  assert.equal(tree.bom, true);
  assert.equal(tree.instructions[0]!.keyword, "FROM");
  assert.equal(printSyntax(tree), "\ufeffFROM scratch\n");
  assert.deepEqual(printSyntaxBytes(parse(Buffer.from("\ufeffFROM scratch"))), Buffer.from("\ufeffFROM scratch"));
});

test("P01 carriage returns before line feeds belong to the line end", () => {
  const tree = parse("FROM a\r\nRUN x \\\r\n  y\r\n# c\r\n");
  assert.deepEqual(
    tree.instructions.map((node) => node.original),
    ["FROM a", "RUN x   y"],
  );
  assert.equal(printSyntax(tree), tree.source);
});

test("P01 a line of the greatest length passes, one byte more does not", () => {
  assert.equal(only(`RUN ${"x".repeat(maxLineBytes - 4)}\n`).rest.length, maxLineBytes - 4);
  fails(`FROM a\nRUN ${"x".repeat(maxLineBytes - 3)}\n`, "DOCKERFILE_LINE_TOO_LONG", 2, /greater than max allowed size of 65535/);
  fails(`RUN ${"é".repeat(maxLineBytes / 2)}`, "DOCKERFILE_LINE_TOO_LONG", 1, /max allowed size/);
});

test("P01 comments that are not UTF-8 survive to the byte, instructions are refused", () => {
  const latin = Buffer.from("# Andr\xe9 \x80\xff caf\xc3\xa9\nFROM a\n", "latin1");
  assert.deepEqual(Buffer.from(printSyntaxBytes(parse(latin))), latin);
  fails(Buffer.from("FROM a\nRUN caf\xe9\n", "latin1"), "DOCKERFILE_ENCODING", 2, /RUN holds bytes that are not UTF-8/);
  assert.equal(parse(Buffer.from("# \ufffd\nRUN \ufffd", "utf8")).instructions[0]!.rest, "\ufffd");
});

test("P02 keywords keep their case, names are upper case", () => {
  const node = only("fRoM scratch");
  assert.equal(node.keyword, "fRoM");
  assert.equal(node.name, "FROM");
  assert.deepEqual(node.keywordSpan, { start: 0, end: 4 });
});

test("P03 a comment takes a whole line, also indented and inside a continuation", () => {
  const tree = parse("  # one\nRUN a \\\n# two\n   # three\n b # four\n");
  assert.deepEqual(
    tree.parts.map((part) => part.kind),
    ["comment", "instruction"],
  );
  assert.equal(tree.instructions[0]!.rest, "a  b # four");
});

test("P03 in a heredoc body nothing is a comment and nothing continues", () => {
  const node = only("RUN <<E\n# kept\na \\\n\nE\n");
  assert.equal(node.heredocs[0]!.content, "# kept\na \\\n\n");
});

test("P04 white space before an instruction goes, on continued lines it stays", () => {
  assert.equal(only("  \tRUN a\\\n  b").original, "RUN a  b");
});

test("P05 the escape at the end of a line continues it, blanks and tabs may follow", () => {
  assert.equal(only("RUN a\\ \t\nb").rest, "ab");
  assert.equal(only("# escape=`\nRUN a`\nb\\").rest, "ab\\");
});

test("P05 a doubled escape is not a continuation, and neither is a tripled one", () => {
  assert.equal(parse("RUN a\\\\\nRUN b").instructions.length, 2);
  assert.equal(parse("RUN a\\\\\\\nRUN b").instructions.length, 2);
});

test("P05 an escape alone on a line continues, also before the keyword and at the end of the file", () => {
  assert.equal(only("RUN a \\\n\\\nb").rest, "a b");
  const node = only("\\\n  FROM a \\\n");
  assert.equal(node.original, "FROM a");
  assert.deepEqual([node.startLine, node.endLine, node.keywordSpan], [1, 2, { start: 4, end: 8 }]);
  assert.equal(only("\\").original, "");
});

test("P06 an empty line inside a continuation is skipped and reported on the last line", () => {
  const tree = parse("FROM a\nRUN x \\\n\n  \n y <<E\nE\n");
  assert.equal(tree.instructions[1]!.rest, "x  y <<E");
  assert.deepEqual(
    tree.emptyContinuations.map(({ startLine, endLine }) => [startLine, endLine]),
    [[5, 5]],
  );
});

test("P07 flags are the leading words with two dashes, quotes and escapes taken off", () => {
  const node = only(`COPY --from=x --chown="a b" --link --exclude='*.t' --x\\ y=1 -a --b c`);
  assert.deepEqual(
    node.flags.map(({ name, value }) => [name, value]),
    [
      ["from", "x"],
      ["chown", "a b"],
      ["link", undefined],
      ["exclude", "*.t"],
      ["x y", "1"],
    ],
  );
  assert.equal(node.rest, "-a --b c");
});

test("P07 two bare dashes end the flags and vanish", () => {
  const node = only("RUN --a=1 -- --b c");
  assert.deepEqual([node.flags.length, node.rest], [1, "--b c"]);
  assert.equal(only("RUN --").rest, "");
});

test("P07 flags keep their place in the source across lines", () => {
  const source = "RUN --mount=type=tmpfs \\\n  --network=none \\\n  x";
  const spans = only(source).flags.map(({ span }) => source.slice(span.start, span.end));
  assert.deepEqual(spans, ["--mount=type=tmpfs", "--network=none"]);
});

test("P13 every unit of the rest knows its offset in the source", () => {
  const source = "ENV  a=1 \\\n # c\n  b=2 ";
  const node = only(source);
  assert.equal(node.rest, "a=1   b=2");
  assert.equal(node.restOffsets.length, node.rest.length + 1);
  for (const [at, ch] of Array.from(node.rest).entries()) assert.equal(source[node.restOffsets[at]!], ch);
  assert.equal(node.restOffsets.at(-1), source.length - 1);
});

test("P14 comments above an instruction are its doc comment until an empty one", () => {
  const tree = parse("# a\n#\n# b\n\n#  c \nFROM x\nRUN y\n");
  assert.deepEqual(
    tree.instructions.map((node) => node.docComment),
    [["b", "c"], []],
  );
});

test("D04 directives stand at the top, names in any case, blanks around the equals sign", () => {
  const tree = parse("#SYNTAX = a/b:1 x  \n# escape=`\n# check=skip=all\n# foo\nFROM x");
  assert.deepEqual(
    tree.directives.map(({ name, value }) => [name, value]),
    [
      ["syntax", "a/b:1 x"],
      ["escape", "`"],
      ["check", "skip=all"],
    ],
  );
  const { valueSpan } = tree.directives[0]!;
  assert.equal(tree.source.slice(valueSpan.start, valueSpan.end), "a/b:1 x");
  assert.deepEqual(tree.instructions[0]!.docComment, ["foo"]);
});

test("D04 a comment, a blank line, an instruction or an unknown name ends the directives", () => {
  for (const first of ["# c", "", "FROM x", "# unknown=1"]) {
    const tree = parse(`${first}\n# escape=\`\nRUN y\n`);
    assert.deepEqual([tree.escape, tree.directives.length], ["\\", 0], first);
  }
});

test("D04 a directive may be given once", () => {
  fails("# check=a\n# syntax=x\n# Check=b\n", "DOCKERFILE_DIRECTIVE", 3, /only one check parser directive can be used/);
});

test("D02 the escape is a backslash or a backtick", () => {
  assert.equal(parse("# escape=\\\nFROM x").escape, "\\");
  fails("# escape=x\nFROM y", "DOCKERFILE_DIRECTIVE", 1, /invalid escape token 'x'/);
});

test("D01 after a first line for the kernel, syntax and check still count, escape does not", () => {
  const tree = parse("#!/usr/bin/env varve\n# syntax=a\n# escape=`\nFROM x");
  assert.deepEqual([tree.directives.map(({ name }) => name), tree.escape], [["syntax"], "\\"]);
});

test("H02 several heredocs take their bodies in order", () => {
  const node = only("RUN cat <<A 3<<-B << C\n1\nA\n\t2\n\tB\n3\nC\n");
  assert.deepEqual(
    node.heredocs.map(({ name, fileDescriptor, chomp, content, rawContent }) => [
      name,
      fileDescriptor,
      chomp,
      content,
      rawContent,
    ]),
    [
      ["A", 0, false, "1\n", "1\n"],
      ["B", 3, true, "2\n", "\t2\n"],
      ["C", 0, false, "3\n", "3\n"],
    ],
  );
  assert.equal(node.endLine, 7);
});

test("H02 an indented end closes only a heredoc with a dash, and only behind tabs", () => {
  assert.equal(only("RUN <<E\n\tE\nE\n").heredocs[0]!.content, "\tE\n");
  assert.equal(only("RUN <<-E\n E\n\t\tE\n").heredocs[0]!.content, " E\n");
  assert.equal(only("RUN <<-E\n\ta\n\t\tb\nE").heredocs[0]!.content, "a\nb\n");
});

test("H03 a quoted delimiter turns expansion off", () => {
  const expand = (word: string): boolean => only(`COPY ${word} /x\nE\n`).heredocs[0]!.expand;
  assert.equal(expand("<<E"), true);
  assert.equal(expand('<<"E"'), false);
  assert.equal(expand("<<'E'"), false);
  assert.equal(expand("<<-'E'"), false);
});

test("H01 only RUN, COPY, ADD and their ONBUILD open heredocs", () => {
  for (const line of ["run", "COPY", "Add", "ONBUILD RUN", "onbuild copy", "COPY --link"]) {
    assert.equal(only(`${line} <<E /x\nbody\nE\n`).heredocs.length, 1, line);
  }
  for (const line of ["CMD", "ENV a", "ONBUILD CMD", 'RUN ["a"', "HEALTHCHECK CMD"].slice(0, 3)) {
    assert.equal(parse(`${line} <<E\nE\n`).instructions.length, 2, line);
  }
});

test("H01 exec form, words that only hold the mark, and open quotes open none", () => {
  for (const rest of ['["cat", "<<E"]', "cat<<E", '"<<E"', "echo $((1<<E))", "cat <<<E", "cat <<E 'x", "x \\<<E"]) {
    assert.equal(parse(`RUN ${rest}\nE\n`).instructions.length, 2, rest);
  }
});

test("D02 heredoc words escape with a backslash whatever the directive says", () => {
  const tree = parse("# escape=`\nRUN <<E\\ F\nx\nE F\n");
  assert.equal(tree.instructions[0]!.heredocs[0]!.name, "E F");
});

test("H07 an open heredoc is an error over all its lines", () => {
  fails("FROM a\nRUN <<E\nx\n E\n", "DOCKERFILE_HEREDOC", 2, /unterminated heredoc/);
  assert.throws(
    () => parse("RUN <<E\nx\n"),
    (error: unknown) => isVarveError(error) && error.where?.endLine === 2,
  );
});

test("I19 the original keeps blanks as they were and leaves comments out", () => {
  const node = only(" RUN --network=none   a \\\n # c\n\tb  \n");
  assert.equal(node.original, "RUN --network=none   a \tb");
  assert.equal(node.line, "RUN --network=none   a \tb  ");
});

test("P02 unknown instructions are no matter of the syntax", () => {
  assert.equal(only("HELLO --x=1 world").name, "HELLO");
});
