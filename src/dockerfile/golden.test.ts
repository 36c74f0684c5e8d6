import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { isVarveError, type SourceRange } from "../errors/index.ts";
import { parseDockerfile, type ParsedDockerfile } from "./parse-dockerfile.ts";
import { printSyntaxBytes } from "./parse-syntax.ts";

/** Each folder: a Dockerfile and either the tree it parses to, or the error with its code, line and words. */
const folder = new URL("../../test/fixtures/dockerfiles/", import.meta.url);

const lines = ({ startLine, endLine }: SourceRange): string => `${startLine}-${endLine}`;

/** What a golden file holds: the checked instructions with ranges cut down to lines, and the frame around them. */
function view({ dockerfile, tree, linter: { warnings } }: ParsedDockerfile): unknown {
  const { escape, syntax, check, globalArgs, stages } = dockerfile;
  const instructions = [...globalArgs, ...stages.flatMap((stage) => [stage.from, ...stage.instructions])];
  const shown = {
    escape,
    syntax,
    check,
    parts: tree.parts.map((part) => part.kind).join(" "),
    instructions,
    warnings: warnings.map(({ rule, where }) => `${rule} ${lines(where)}`),
  };
  return JSON.parse(
    JSON.stringify(shown, (key, value: unknown) => {
      if (key === "where") return lines(value as SourceRange);
      if (key === "bodySpan" || key === "keyword") return undefined;
      return key === "docComment" && Array.isArray(value) && value.length === 0 ? undefined : value;
    }),
  );
}

for (const name of readdirSync(folder).sort()) {
  const source = readFileSync(new URL(`${name}/Dockerfile`, folder));
  const read = (file: string): unknown => JSON.parse(readFileSync(new URL(`${name}/${file}`, folder), "utf8"));
  if (name.startsWith("bad-")) {
    test(`P13 the Dockerfile ${name} is refused where it is wrong`, () => {
      assert.throws(
        () => parseDockerfile(source, { file: "Dockerfile" }),
        (error: unknown) => {
          assert.ok(isVarveError(error), String(error));
          assert.deepEqual({ code: error.code, line: error.where?.startLine, message: error.message }, read("error.json"));
          return true;
        },
      );
    });
  } else {
    test(`P13 the Dockerfile ${name} parses to its tree and prints as it was`, () => {
      const parsed = parseDockerfile(source, { file: "Dockerfile" });
      assert.deepEqual(view(parsed), read("tree.json"));
      assert.deepEqual(Buffer.from(printSyntaxBytes(parsed.tree)), source);
    });
  }
}
