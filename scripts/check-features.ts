/**
 * Which rows of the feature table the tests name: an ID in the title of a test, or in the `ids` of a conformance case.
 * Prints how many are covered and which are missing; fails when one is missing that `exceptions` does not explain.
 * `--table` prints the rows of the flags of build, the exporters and the caches (3.1, 4, 5), each with the tests that name it;
 * `--table=all` prints every row.
 */
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const repo = resolve(import.meta.dirname, "..");

/**
 * The rows of the Dockerfile language and of lint (sections 1, 2), of the flags of build (3.1: B), of exporters (4: E), of caches
 * (5: Q) and of Compose files (9: M), by letter: how far they are numbered. Section 12's gaps are among them.
 */
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
  B: [[1, 36]],
  E: [
    [1, 10],
    [20, 36],
  ],
  Q: [
    [1, 6],
    [10, 16],
  ],
  M: [
    [1, 11],
    [20, 29],
    [40, 49],
    [60, 76],
    [80, 86],
  ],
};

/** Rows that no test names, and why. */
const exceptions: Readonly<Record<string, string>> = {
  V14: "only for Windows images",
  X14: "options on the wire to a BuildKit frontend; Varve's frontend is in the process",
  X15: "options on the wire to a BuildKit frontend; Varve's frontend is in the process",
  E08: "exporters that a client of a daemon hands in over its session; here both are one process",
  E09: "dockerd's word for the image exporter inside of it",
  E30: "what buildx tells dockerd of the ID to report; -q and --iidfile give the config's digest",
  E31: "for BuildKit's own tests",
  M11: "bake stands between Docker Compose and BuildKit; here a service's build is a build of Varve's own, flag by flag (M01 to M10)",
  Q15: "a limit of Docker's old image store, which Varve's has not",
};

const ids = Object.entries(rows).flatMap(([letter, ranges]) =>
  ranges.flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, index) => `${letter}${String(from + index).padStart(2, "0")}`),
  ),
);
const named = new Map<string, string[]>();
let titles = 0;
for (const file of globSync(["src/**/*.test.ts", "test/**/*.test.ts", "test/conformance/**/*.cases", "test/interop/*-cases.ts"], {
  cwd: repo,
})) {
  const text = readFileSync(join(repo, file), "utf8");
  const places = file.endsWith(".cases")
    ? text.matchAll(/^=== (.*)$/gm)
    : file.endsWith("-cases.ts")
      ? text.matchAll(/\b(?:one|service)\(\s*"([^"\n]*)"|\btitle: "([^"\n]*)"/g)
      : text.matchAll(/\b(?:test|it|describe|suite|eachWay)\w*\(\s*(?:`([^`]*)`|"([^"\n]*)")/g);
  for (const place of places) {
    titles += 1;
    const title = place.slice(1).join(" ").trim();
    for (const id of new Set(title.match(/\b[A-Z]\d\d\b/g))) {
      const place = `${file}: ${title.replace(/^(?:[A-Z]\d\d )+/, "")}`;
      named.set(id, [...(named.get(id) ?? []), place]);
    }
  }
}
const missing = ids.filter((id) => !named.has(id) && !(id in exceptions));
const idle = Object.keys(exceptions).filter((id) => named.has(id) || !ids.includes(id));
console.log(
  `features: ${ids.length} rows, ${ids.filter((id) => named.has(id)).length} named in ${titles} titles, ${Object.keys(exceptions).length} exceptions`,
);
const table = process.argv.find((argument) => /^--table(=all)?$/.test(argument));
if (table !== undefined) {
  console.log("\n| ID | Tests that name it |\n|---|---|");
  for (const id of ids.filter((each) => table.endsWith("=all") || "BEQ".includes(each.slice(0, 1)))) {
    const tests = (named.get(id) ?? []).map((text) => text.replaceAll("|", "\\|"));
    console.log(`| ${id} | ${tests.length > 0 ? tests.join("<br>") : `none: ${exceptions[id] ?? "missing"}`} |`);
  }
}
if (missing.length > 0) console.error(`no test names ${missing.join(" ")}`);
if (idle.length > 0) console.error(`exceptions without need: ${idle.join(" ")}`);
if (titles === 0 || missing.length > 0 || idle.length > 0) process.exitCode = 1;
