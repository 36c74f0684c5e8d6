import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { isVarveError } from "../errors/index.ts";
import { parseDockerfile, parseSyntax, printSyntaxBytes } from "./index.ts";

const folder = new URL("../../test/fixtures/dockerfiles/", import.meta.url);
const corpus = readdirSync(folder).map((name) => readFileSync(new URL(`${name}/Dockerfile`, folder)));
/** Pieces that the languages give a meaning to, and bytes that are no text. */
const pieces = [
  "\\\n",
  "`",
  "\n",
  "\r\n",
  '"',
  "'",
  "${",
  "}",
  "$",
  "<<EOF",
  "<<-'A B'",
  "--",
  "=",
  "[",
  "]",
  "#",
  "# escape=`\n",
  "ONBUILD ",
  "\0",
  "\ufeff",
  "\u2028",
];
const chunk = fc.oneof(
  fc.constantFrom(...pieces).map((text) => Buffer.from(text)),
  fc.uint8Array({ minLength: 1, maxLength: 4 }),
);
const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), removed: fc.nat(12), chunk });

test(
  "P01 P02 real Dockerfiles with a few bytes changed give a Dockerfile, or a foreseen error with its place, and print as they were",
  { timeout: 60_000 },
  () => {
    fc.assert(
      fc.property(fc.constantFrom(...corpus), fc.array(edit, { minLength: 1, maxLength: 6 }), (original, edits) => {
        let bytes: Buffer = original;
        for (const { at, removed, chunk: added } of edits) {
          const place = Math.floor(at * bytes.length);
          bytes = Buffer.concat([bytes.subarray(0, place), added, bytes.subarray(place + removed)]);
        }
        try {
          assert.deepEqual(Buffer.from(printSyntaxBytes(parseSyntax(bytes, { file: "D" }))), bytes);
          parseDockerfile(bytes, { file: "D" });
        } catch (error) {
          assert.ok(isVarveError(error) && error.code.startsWith("DOCKERFILE_"), String(error));
          assert.ok(error.where !== undefined && error.where.startLine >= 1 && error.where.startColumn >= 1);
        }
      }),
      { numRuns: 3_000, interruptAfterTimeLimit: 20_000 },
    );
  },
);
