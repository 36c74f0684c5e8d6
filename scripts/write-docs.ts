/**
 * Writes the docs that are made from the code: `docs/cli.md` from the tables of the command line, `docs/errors.md` from
 * the catalogue of errors, `docs/lint.md` from the table of lint rules. With `--check` it writes nothing and fails where a file is not up to date.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { commandReference } from "../src/cli/index.ts";
import { catalogue } from "../src/errors/index.ts";
import { lintReference } from "./lint-reference.ts";

function errorReference(): string {
  const rows = Object.entries(catalogue).map(([code, { kind, sentence }]) => `| \`${code}\` | ${kind} | ${sentence} |`);
  return [
    "# Errors",
    "",
    "Every failure that Varve foresees has a code, which never changes its meaning, and a kind. The kind decides the exit code",
    "([cli.md](cli.md)). Made from `src/errors/catalogue.ts` by `npm run docs`.",
    "",
    "| code | kind | meaning |",
    "|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

const documents = { "cli.md": await commandReference(), "errors.md": errorReference(), "lint.md": lintReference() };
const check = process.argv.includes("--check");
for (const [name, text] of Object.entries(documents)) {
  const file = new URL(`../docs/${name}`, import.meta.url);
  if (!check) writeFileSync(file, text);
  else if (readFileSync(file, "utf8") !== text) {
    console.error(`docs/${name} is not up to date: npm run docs`);
    process.exitCode = 1;
  }
}
console.log(`docs: ${Object.keys(documents).length} files ${check ? "checked" : "written"}`);
