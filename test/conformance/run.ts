/**
 * Builds every case with Docker's BuildKit and with Varve, and compares what came out.
 *   node test/conformance/run.ts [--only PART-OF-A-NAME] [--reduced] [--keep] [--verbose] [--runtime runc]
 *   node test/conformance/run.ts --random N [--seed N] [--kind KIND] [--refusals]    so many builds put together by chance, instead of
 *   the cases; --refusals shows the errors that are not worded alike
 * VARVE_CONFORMANCE_FRONTEND names an image of a newer Dockerfile frontend that the engine has, for the cases that its own is
 * too old for; without it they are skipped. --newest uses it for all.
 * The engine is the one that DOCKER_HOST names; engine.sh brings one. Without one all cases are skipped, and said so.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { makeBaseImages } from "./base-image.ts";
import { connectDocker, oneAtATime, openBuilder, passingFault, type Builder, type Outcome } from "./builders.ts";
import { readCases, type BuildFlags, type Case, type FileSpec } from "./case.ts";
import { compareImages, type Difference } from "./compare-images.ts";
import { exceptions, type Exception } from "./exceptions.ts";
import { randomCases } from "./random-cases.ts";
import { readImage } from "./read-image.ts";
import { makeRepository, serveFiles } from "./serve-files.ts";
import { writeContext } from "./write-context.ts";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    reduced: { type: "boolean" },
    keep: { type: "boolean" },
    verbose: { type: "boolean" },
    newest: { type: "boolean" },
    runtime: { type: "string" },
    lanes: { type: "string" },
    random: { type: "string" },
    seed: { type: "string" },
    kind: { type: "string" },
    refusals: { type: "boolean" },
  },
});
const frontend = process.env["VARVE_CONFORMANCE_FRONTEND"];
const lanes = Number(options.lanes ?? 3);
/** Of each topic, `--reduced` takes the first case and every fifth after it. */
const reducedStride = 5;

/** Steps run side by side, so that either of two may fail first; what is found before any runs is found in order. */
const parsingFault = /^(?:DOCKERFILE|FRONTEND)_/;

interface Result {
  readonly case: Case;
  readonly differences: readonly Difference[];
  readonly explained: readonly { readonly difference: Difference; readonly exception: Exception }[];
  /** Both builders refused it. */
  readonly refused: boolean;
  readonly seconds: number;
}

const all =
  options.random === undefined
    ? readCases(join(import.meta.dirname, "cases"))
    : randomCases({
        seed: Number(options.seed ?? 1),
        count: Number(options.random),
        ...(options.kind === undefined ? {} : { kind: options.kind }),
      });
const twice = all.filter((one, index) => all.findIndex((other) => other.name === one.name) !== index);
if (twice.length > 0) throw new Error(`two cases have the name ${twice[0]?.name}`);
const chosen = all
  .filter((one) => options.only === undefined || options.only.some((part) => one.name.includes(part) || one.topic === part))
  .filter((one) => !options.reduced || all.filter(({ topic }) => topic === one.topic).indexOf(one) % reducedStride === 0);

const hasGit = spawnSync("git", ["--version"]).status === 0;
let engineFaults = 0;
const unknown = chosen.filter(
  ({ needs, files }) => (frontend === undefined && needs !== undefined) || (!hasGit && files.some(isInRepository)),
);
const docker = connectDocker();
if (typeof docker === "string") {
  console.log(`conformance: ${docker}; test/conformance/engine.sh brings one`);
  for (const { name } of chosen) console.log(`skipped ${name}`);
  console.log(`0 passed, 0 failed, ${chosen.length} skipped`);
} else {
  await compareAll(oneAtATime(docker));
}

async function compareAll(engine: Builder): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), "varve-conformance-"));
  const varve = openBuilder(join(work, "store"), options.runtime);
  const server = await serveFiles(work);
  const started = Date.now();
  try {
    const images = makeBaseImages();
    await Promise.all([engine.loadImages(images), varve.loadImages(images)]);
    console.log(`${chosen.length} of ${all.length} cases, ${engine.name} and Varve`);
    for (const { name, needs } of unknown)
      console.log(
        `skipped ${name}: ${needs === undefined ? "there is no git" : `${needs} may be too new for the engine's frontend`}`,
      );
    const queue = chosen.filter((one) => !unknown.includes(one));
    const results: Result[] = [];
    await Promise.all(
      Array.from({ length: lanes }, async () => {
        for (let next = queue.shift(); next; next = queue.shift()) {
          let result = await compare(next, engine, varve, { work, url: server.url });
          // A difference must show twice: a busy engine fails in ways of its own.
          if (result !== undefined && result.differences.length > 0) {
            for (const { place, docker: theirs, varve: ours } of result.differences.slice(0, 20))
              console.log(`again     ${next.name}: ${place}\n      docker ${theirs}\n      varve  ${ours}`);
            result = await compare(next, engine, varve, { work, url: server.url });
          }
          if (result === undefined) continue;
          results.push(result);
          report(result);
        }
      }),
    );
    summarize(results, (Date.now() - started) / 1000);
  } finally {
    await varve.close();
    await server.close();
    if (options.keep) console.log(`kept: ${work}`);
    // the sync after the last build may leave its mark meanwhile
    else rmSync(work, { recursive: true, force: true, maxRetries: 10 });
  }
}

async function compare(
  one: Case,
  engine: Builder,
  varve: Builder,
  { work, url }: { readonly work: string; readonly url: string },
): Promise<Result | undefined> {
  const folder = join(work, one.name);
  const context = join(folder, `${basename(work)}-${one.name}`); // BuildKit remembers what it was sent by this name
  const started = Date.now();
  mkdirSync(folder, { recursive: true });
  await writeFiles(one, folder, context);
  const flags = fillIn(one.options, { "%C": context, "%U": `${url}/${one.name}/http`, "%G": `${url}/${one.name}/git/repo.git` });
  const newest = frontend !== undefined && (one.needs !== undefined || options.newest === true);
  const theirFlags = newest ? { ...flags, buildArgs: { ...flags.buildArgs, BUILDKIT_SYNTAX: frontend } } : flags;
  const theirs = await engine.build(context, theirFlags, join(folder, "docker.tar"));
  const isKnown = exceptions.some((known) => explains(known, one, { place: "build", docker: theirs.failure ?? "", varve: "" }));
  if (
    passingFault.test(theirs.failure ?? "") ||
    (theirs.failure !== undefined && one.fails === undefined && one.mayFail !== true && !isKnown)
  ) {
    console.log(`skipped ${one.name}: the engine failed by itself, each time that it was asked`);
    engineFaults += 1;
    return undefined;
  }
  const ours = await varve.build(context, flags, join(folder, "varve.tar"));
  if (options.verbose) console.log(`── ${one.name}\n${theirs.log}\n── varve\n${ours.log}\n${ours.failure ?? ""}`);
  const found = compareOutcomes(one, theirs, ours);
  if (theirs.failure === undefined && ours.failure === undefined && one.fails === undefined) {
    found.push(...(await compareArchives(folder, started / 1000 - 86_400)));
  }
  if (!options.keep) rmSync(folder, { recursive: true, force: true });
  const pairs = found.map((difference) => ({
    difference,
    exception: exceptions.find((known) => explains(known, one, difference)),
  }));
  return {
    case: one,
    differences: pairs.flatMap(({ difference, exception }) => (exception ? [] : [difference])),
    explained: pairs.flatMap(({ difference, exception }) => (exception ? [{ difference, exception }] : [])),
    refused: theirs.failure !== undefined && ours.failure !== undefined,
    seconds: (Date.now() - started) / 1000,
  };
}

/** An archive that cannot be read is a difference. */
async function compareArchives(folder: string, startSeconds: number): Promise<Difference[]> {
  const [docker, varve] = await Promise.all(
    ["docker.tar", "varve.tar"].map((name) => readImage(join(folder, name)).catch((error: unknown) => String(error))),
  );
  if (typeof docker === "object" && typeof varve === "object") return compareImages(docker, varve, startSeconds);
  const say = (read: unknown) => (typeof read === "string" ? read : "readable");
  return say(docker) === say(varve) ? [] : [{ place: "archive", docker: say(docker), varve: say(varve) }];
}

/** The context, and beside it what the case has on servers. */
async function writeFiles({ files }: Case, folder: string, context: string): Promise<void> {
  const below = (prefix: string) =>
    files.filter(({ path }) => path.startsWith(prefix)).map((file) => ({ ...file, path: file.path.slice(prefix.length) }));
  await writeContext(
    context,
    files.filter(({ path }) => !path.startsWith("@")),
  );
  await writeContext(join(folder, "http"), below("@http/"));
  if (!files.some(isInRepository)) return;
  await writeContext(join(folder, "checkout"), below("@git/"));
  makeRepository(join(folder, "checkout"), join(folder, "git"));
}

function isInRepository({ path }: FileSpec): boolean {
  return path.startsWith("@git/");
}

function fillIn(flags: BuildFlags, places: Readonly<Record<string, string>>): BuildFlags {
  const fill = (text: string) => text.replace(/%[CUG]/g, (place) => places[place] ?? place);
  return {
    ...flags,
    buildArgs: Object.fromEntries(Object.entries(flags.buildArgs).map(([key, value]) => [key, fill(value)])),
    more: flags.more.map(fill),
    ...(flags.remote === undefined ? {} : { remote: fill(flags.remote) }),
  };
}

function compareOutcomes(one: Case, theirs: Outcome, ours: Outcome): Difference[] {
  const say = (outcome: Outcome) =>
    outcome.failure === undefined ? "succeeded" : `failed: ${outcome.failure.trim().split("\n").slice(-12).join("\n      ")}`;
  const succeeds = one.mayFail === true ? theirs.failure === undefined : one.fails === undefined;
  const asExpected = (outcome: Outcome) => (outcome.failure === undefined) === succeeds;
  if (!asExpected(theirs) || !asExpected(ours)) {
    return [{ place: succeeds ? "build" : "refusal", docker: say(theirs), varve: say(ours) }];
  }
  if (one.mayFail === true && parsingFault.test(ours.failure ?? "") && !isWithin(ours.lines, theirs.lines))
    return [
      {
        place: "refusal's line",
        docker: `${theirs.lines.join(" ")} ${say(theirs)}`,
        varve: `${ours.lines.join(" ")} ${say(ours)}`,
      },
    ];
  if (options.refusals && theirs.failure !== undefined && !saysTheSame(ours.failure ?? "", theirs.failure))
    console.log(`refusal   ${one.name}\n      docker ${say(theirs)}\n      varve  ${say(ours)}`);
  const notOurs = /^UNFORESEEN|NOT_SUPPORTED_YET/.exec(ours.failure ?? "");
  if (notOurs) return [{ place: "refusal for the wrong reason", docker: say(theirs), varve: say(ours) }];
  const missing = (outcome: Outcome, words: string) => outcome.failure?.toLowerCase().includes(words.toLowerCase()) === false;
  return (one.fails ?? [])
    .filter((words) => missing(theirs, words) || missing(ours, words))
    .map((words) => ({ place: `refusal "${words}"`, docker: say(theirs), varve: say(ours) }));
}

/**
 * Varve may know the place of an error better: a line among BuildKit's, or any where BuildKit has none. Of two errors it names the first
 * in the file, BuildKit the first that it comes to.
 */
function isWithin(ours: readonly number[], theirs: readonly number[]): boolean {
  const [first] = theirs;
  return first === undefined || (ours.length > 0 && ours.every((line) => line < first || theirs.includes(line)));
}

/** Whether Varve's refusal holds BuildKit's last words, numbers and the place aside. */
function saysTheSame(ours: string, theirs: string): boolean {
  const plain = (text: string) => text.replaceAll('\\"', '"').replace(/\d+/g, "0").toLowerCase();
  const words = theirs
    .split("\n")[0]
    ?.replace(/^failed to build: failed to solve: (?:.*ref \S+: )?(?:dockerfile parse error on line \d+: )?/, "");
  return plain(ours).includes(plain(words ?? ""));
}

function explains(exception: Exception, one: Case, difference: Difference): boolean {
  const { cases, dockerfile, place, docker: theirs = /^/, varve: ours = /^/ } = exception;
  const text = one.files.find(({ path }) => path === one.options.dockerfile);
  return (
    (cases === undefined || cases.includes(one.name)) &&
    (dockerfile === undefined || one.mayFail === true) &&
    (dockerfile === undefined ||
      (text !== undefined && "content" in text && dockerfile.test(Buffer.from(text.content).toString()))) &&
    place.test(difference.place) &&
    theirs.test(difference.docker) &&
    ours.test(difference.varve)
  );
}

function report({ case: one, differences, explained, refused, seconds }: Result): void {
  const word = differences.length > 0 ? "DIFFERS" : explained.length > 0 ? "explained" : refused ? "refused" : "agrees";
  console.log(`${word.padEnd(9)} ${one.topic.padEnd(9)} ${one.name} (${seconds.toFixed(1)}s)`);
  for (const { place, docker: theirs, varve: ours } of differences.slice(0, 20))
    console.log(`    ${place}\n      docker ${theirs}\n      varve  ${ours}`);
  if (differences.length > 20) console.log(`    and ${differences.length - 20} more`);
}

function summarize(results: readonly Result[], seconds: number): void {
  const row = (name: string, of: readonly Result[]) => {
    const refused = of.filter((one) => one.refused).length;
    const differ = of.filter(({ differences }) => differences.length > 0).length;
    const explained = of.filter((one) => one.differences.length === 0 && one.explained.length > 0).length;
    console.log(
      `${name.padEnd(12)} ${String(of.length).padStart(5)} ${String(of.length - differ - explained).padStart(6)} ${String(explained).padStart(9)} ${String(differ).padStart(6)} ${String(refused).padStart(7)}`,
    );
    return differ;
  };
  console.log(`\n${"topic".padEnd(12)} cases  agree explained differ refused`);
  for (const topic of new Set(results.map((result) => result.case.topic)))
    row(
      topic,
      results.filter((result) => result.case.topic === topic),
    );
  const differ = row("all", results);
  for (const exception of exceptions) {
    const uses = results.filter(({ explained }) => explained.some((pair) => pair.exception === exception)).length;
    if (uses > 0) console.log(`explained in ${uses} cases: ${exception.place.source}: ${exception.why}`);
  }
  const names = results.filter(({ differences }) => differences.length > 0).map((result) => result.case.name);
  if (names.length > 0) console.log(`differ: ${names.join(" ")}`);
  console.log(
    `${results.length - differ} passed, ${differ} failed, ${unknown.length + engineFaults} skipped, ${seconds.toFixed(0)} s`,
  );
  if (differ > 0 || results.length === 0) process.exitCode = 1;
}
