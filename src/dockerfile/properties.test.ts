import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isVarveError } from "../errors/index.ts";
import { detectSyntax } from "./directives.ts";
import { parseDockerfile } from "./parse-dockerfile.ts";
import { parseSyntax, printSyntax, printSyntaxBytes } from "./parse-syntax.ts";

const file = "Dockerfile";
const piece = fc.constantFrom(
  ..."FROM RUN COPY ADD ENV LABEL ARG ONBUILD HEALTHCHECK CMD SHELL EXPOSE VOLUME scratch AS x --mount= --from=a --link -- NONE".split(
    " ",
  ),
  "\n",
  "\r\n",
  "\\\n",
  "\\ \n",
  "`\n",
  " ",
  "\t",
  "#",
  "# escape=`\n",
  "# syntax=a\n",
  "<<E",
  "<<-'E'",
  "\nE\n",
  "E",
  "\ufeff",
  '"',
  "'",
  "\\",
  "$x",
  "${",
  "}",
  "[",
  "]",
  '["a"]',
  "=",
  ",",
  "type=",
  "\u00a0",
  "\u0085",
  "é",
  "\u{1f600}",
  "\ud800",
);
const dockerfileLike = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
const anyText = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), dockerfileLike);

/** Runs `work`; only foreseen errors may come out. */
function foreseen(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    assert.ok(isVarveError(error) && error.code.startsWith("DOCKERFILE_"), String(error));
    assert.ok(error.where !== undefined, error.message);
  }
}

test("P01 any text that parses prints as it was, and its parts tile it", () => {
  fc.assert(
    fc.property(anyText, (source) => {
      foreseen(() => {
        const tree = parseSyntax(source, { file });
        assert.equal(printSyntax(tree), source);
        let at = 0;
        for (const { span } of tree.parts) {
          assert.equal(span.start, at);
          assert.ok(span.end > at);
          at = span.end;
        }
        assert.equal(at, tree.source.length);
      });
    }),
    { numRuns: 1000 },
  );
});

test("P01 any bytes that parse print as they were", () => {
  const latin = dockerfileLike.map((text) => Buffer.from(`# \xe9${text}`, "latin1"));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), latin), (bytes) => {
      foreseen(() => assert.deepEqual(Buffer.from(printSyntaxBytes(parseSyntax(bytes, { file }))), Buffer.from(bytes)));
    }),
    { numRuns: 500 },
  );
});

test("P13 every unit of a rest stands in the source where it says", () => {
  fc.assert(
    fc.property(anyText, (source) => {
      foreseen(() => {
        const tree = parseSyntax(source, { file });
        for (const { rest, restOffsets } of tree.instructions) {
          assert.equal(restOffsets.length, rest.length + 1);
          for (let at = 0; at < rest.length; at++) assert.equal(tree.source[restOffsets[at]!], rest[at]);
        }
      });
    }),
    { numRuns: 500 },
  );
});

test("P02 checking any text ends in a Dockerfile or in a foreseen error with its place", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      foreseen(() => void parseDockerfile(text, { file }));
      foreseen(() => void parseDockerfile(`FROM scratch\n${text}`, { file }));
      detectSyntax(text, { file });
    }),
    { numRuns: 1000 },
  );
});

test("P02 parsing an instruction's original again gives the same instruction", () => {
  fc.assert(
    fc.property(dockerfileLike, (text) => {
      foreseen(() => {
        for (const node of parseSyntax(text, { file }).instructions) {
          if (node.heredocs.length > 0 || node.original === "" || /[\\`]$/.test(node.original)) continue;
          const again = parseSyntax(`FROM x\n${node.original}`, { file }).instructions[1];
          if (node.original.includes("<<") || node.original.includes("`")) continue;
          assert.deepEqual([again?.name, again?.rest, again?.flags.length], [node.name, node.rest, node.flags.length]);
        }
      });
    }),
  );
});

test("P01 long lines of every troublesome kind parse in time that grows with their length", () => {
  const long = 60_000;
  for (const unit of [" ", "\r", "\\", "\\ ", "'", '"', "$", "${a:-", "<<", "--a ", "[", "\t", "a=", "1"]) {
    const text = unit.repeat(long / unit.length);
    for (const line of [
      `# syntax=a${text}b`,
      `RUN ${text}x`,
      `ENV a=${text}`,
      `COPY <<E ${text}`,
      `HEALTHCHECK --interval=${text}x CMD y`,
    ]) {
      foreseen(() => void parseDockerfile(`${line}\nFROM x\n${line}\n`, { file }));
    }
  }
});
