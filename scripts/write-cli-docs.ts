/** Writes docs/cli.md from the tables of the command line. With `--check`: says whether it is up to date, and writes nothing. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { commandReference } from "../src/cli/index.ts";

const file = new URL("../docs/cli.md", import.meta.url);
const text = await commandReference();
if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== text) {
    console.error("docs/cli.md is not up to date: run node scripts/write-cli-docs.ts");
    process.exitCode = 1;
  }
} else {
  mkdirSync(new URL(".", file), { recursive: true });
  writeFileSync(file, text);
}
