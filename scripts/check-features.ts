/**
 * Which rows of the feature table the tests name: an ID in the title of a test, or in the `ids` of a conformance case.
 * Prints how many are covered and which are missing; fails when one is missing that `exceptions` does not explain.
 */
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const repo = resolve(import.meta.dirname, "..");

/** The rows of the Dockerfile language and of lint, by letter: how far they are numbered. Section 12's gaps are among them. */
const rows: Readonly<Record<string, readonly [from: number, to: number][]>> = {
  P: [[1, 14]],
  D: [[1, 6]],
  I: [[1, 20]],
  S: [[1, 9]],
  A: [[1, 18]],
  V: [[1, 14]],
  H: [[1, 7]],
  C: [[1, 19]],
  R: [[1, 13]],
  G: [[1, 7]],
  X: [[1, 16]],
  N: [
    [1, 22],
    [30, 36],
  ],
  Y: [[1, 14]],
};

/** Rows that no test names, and why. */
const exceptions: Readonly<Record<string, string>> = {
  S07: "base layers that stay away when an image is pushed come with the registry exporter",
  V14: "only for Windows images",
  R12: "emulation comes with builds for other platforms",
  X14: "options on the wire to a BuildKit frontend; Varve's frontend is in the process",
  X15: "options on the wire to a BuildKit frontend; Varve's frontend is in the process",
};

const ids = Object.entries(rows).flatMap(([letter, ranges]) =>
  ranges.flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, index) => `${letter}${String(from + index).padStart(2, "0")}`),
  ),
);
const named = new Set<string>();
let titles = 0;
for (const file of globSync(["src/**/*.test.ts", "test/**/*.test.ts", "test/conformance/**/*.cases"], { cwd: repo })) {
  const text = readFileSync(join(repo, file), "utf8");
  const places = file.endsWith(".cases")
    ? text.matchAll(/^=== (.*)$/gm)
    : text.matchAll(/\b(?:test|it|describe|suite|eachWay)\w*\(\s*(?:`([^`]*)`|"([^"\n]*)")/g);
  for (const place of places) {
    titles += 1;
    for (const [id] of place
      .slice(1)
      .join(" ")
      .matchAll(/\b[A-Z]\d\d\b/g))
      named.add(id);
  }
}
const missing = ids.filter((id) => !named.has(id) && !(id in exceptions));
const idle = Object.keys(exceptions).filter((id) => named.has(id) || !ids.includes(id));
console.log(
  `features: ${ids.length} rows, ${ids.filter((id) => named.has(id)).length} named in ${titles} titles, ${Object.keys(exceptions).length} exceptions`,
);
if (missing.length > 0) console.error(`no test names ${missing.join(" ")}`);
if (idle.length > 0) console.error(`exceptions without need: ${idle.join(" ")}`);
if (titles === 0 || missing.length > 0 || idle.length > 0) process.exitCode = 1;
