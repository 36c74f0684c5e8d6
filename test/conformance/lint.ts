/**
 * Asks Docker's BuildKit and Varve for the lint, the outline and the targets of every case, and compares the answers.
 *   node test/conformance/lint.ts [--only PART-OF-A-NAME] [--reduced]
 * The engine is the one that DOCKER_HOST names; engine.sh brings one. Without one all cases are skipped, and said so.
 * VARVE_CONFORMANCE_FRONTEND names an image of a newer Dockerfile frontend that the engine has: then that one answers.
 * Without it the cases that the engine's own is too old for are skipped.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { checkJson, outlineJson, targetsJson } from "../../src/cli/build/call-json.ts";
import { openVarve, type DescribeOptions, type Varve } from "../../src/engine/index.ts";
import { isVarveError } from "../../src/errors/index.ts";
import { makeBaseImages } from "./base-image.ts";
import { connectDocker, type Builder } from "./builders.ts";
import { readCases, type BuildFlags, type Case } from "./case.ts";
import { lintExceptions } from "./lint-exceptions.ts";
import { writeContext } from "./write-context.ts";

const { values: options } = parseArgs({ options: { only: { type: "string", multiple: true }, reduced: { type: "boolean" } } });
/** `--reduced` takes every fifth case. */
const reducedStride = 5;
const frontend = process.env["VARVE_CONFORMANCE_FRONTEND"];
const calls = ["check", "outline", "targets"] as const;

const all = readCases(join(import.meta.dirname, "lint-cases"));
const chosen = all
  .filter(({ name }) => options.only === undefined || options.only.some((part) => name.includes(part)))
  .filter((_, index) => options.reduced !== true || index % reducedStride === 0)
  .filter(({ needs }) => frontend !== undefined || needs === undefined);

const docker = connectDocker();
if (typeof docker === "string") {
  console.log(`lint: ${docker}; test/conformance/engine.sh brings one`);
  console.log(`0 passed, 0 failed, ${chosen.length} skipped`);
} else {
  await compareAll(docker);
}

async function compareAll(engine: Builder): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), "varve-lint-"));
  const varve = openVarve({
    root: join(work, "store"),
    configPath: join(work, "none.toml"),
    dockerConfigDir: join(work, "none"),
  });
  let differ = 0;
  let explained = 0;
  try {
    const images = makeBaseImages();
    await engine.loadImages(images);
    await varve.images.load(
      (async function* () {
        yield images;
      })(),
    );
    console.log(
      `${chosen.length} of ${all.length} cases, ${engine.name}${frontend === undefined ? "" : ` with ${frontend}`} and Varve`,
    );
    for (const { name, needs } of all)
      if (needs !== undefined && frontend === undefined) console.log(`skipped ${name}: ${needs} may be too new`);
    for (const one of chosen) {
      const context = join(work, one.name);
      mkdirSync(context);
      await writeContext(context, one.files);
      const found = await compare(one, context, varve);
      const exceptionOf = (call: string) => lintExceptions.find((known) => known.cases.includes(one.name) && known.call === call);
      const differences = found.filter(({ call }) => exceptionOf(call) === undefined);
      if (differences.length > 0) differ++;
      else if (found.length > 0) explained++;
      console.log(`${differences.length > 0 ? "DIFFERS" : found.length > 0 ? "explained" : "agrees"} ${one.name}`);
      for (const why of new Set(found.map(({ call }) => exceptionOf(call)?.why))) if (why !== undefined) console.log(`  ${why}`);
      for (const { text } of differences) console.log(text);
    }
  } finally {
    await varve.close();
    rmSync(work, { recursive: true, force: true });
  }
  console.log(`${chosen.length} cases, ${chosen.length - differ - explained} agree, ${explained} explained, ${differ} differ`);
  if (differ > 0 || chosen.length === 0) process.exitCode = 1;
}

interface Difference {
  readonly call: (typeof calls)[number];
  readonly text: string;
}

async function compare(one: Case, context: string, varve: Varve): Promise<Difference[]> {
  const asked: DescribeOptions = {
    context: { kind: "folder", path: context },
    buildArgs: one.options.buildArgs,
    ...(one.options.target === undefined ? {} : { target: one.options.target }),
    ...(one.options.dockerfile === "Dockerfile" ? {} : { dockerfile: { path: join(context, one.options.dockerfile) } }),
  };
  const differences: Difference[] = [];
  for (const call of calls) {
    const theirs = await askDocker(call, context, one.options);
    const ours = await askVarve(call, varve, asked);
    for (const [place, [left, right]] of Object.entries(pairs(theirs, ours))) {
      const agrees = place === "errorLines" ? isWithin(right, left) : isDeepStrictEqual(left, right);
      if (!agrees) {
        const onlyIn = (list: unknown, other: unknown): unknown =>
          Array.isArray(list) && Array.isArray(other)
            ? list.filter((item) => !other.some((known) => isDeepStrictEqual(known, item)))
            : list;
        const text = `  ${call} ${place}\n    docker ${JSON.stringify(onlyIn(left, right))}\n    varve  ${JSON.stringify(onlyIn(right, left))}`;
        differences.push({ call, text });
      }
    }
  }
  return differences;
}

/** What two answers have to agree in, side by side. */
function pairs(theirs: Answer, ours: Answer): Record<string, readonly [unknown, unknown]> {
  const places = new Set([...Object.keys(theirs), ...Object.keys(ours)]);
  return Object.fromEntries([...places].map((place) => [place, [theirs[place], ours[place]] as const]));
}

/** Varve may know the place of an error better: a line among BuildKit's, or any where BuildKit has none. */
function isWithin(ours: unknown, theirs: unknown): boolean {
  const known = linesOf(theirs);
  return known.length === 0 || linesOf(ours).every((line) => known.includes(line));
}

function linesOf(location: unknown): readonly number[] {
  const { ranges = [] } = (location ?? {}) as { readonly ranges?: readonly { readonly start: { readonly line: number } }[] };
  return ranges.map(({ start }) => start.line);
}

type Answer = Readonly<Record<string, unknown>>;

/** Go's maps have no order: warnings are and arguments are compared without theirs. Sources differ in their build. */
function normalize(text: string): Answer {
  const {
    sources: _sources,
    warnings,
    buildError,
    args,
    ...rest
  } = JSON.parse(text) as {
    readonly sources?: unknown;
    readonly warnings?: readonly unknown[] | null;
    readonly args?: readonly unknown[];
    readonly buildError?: { readonly location?: { readonly ranges?: readonly unknown[] } };
  };
  const sorted = (list: readonly unknown[] | null | undefined): readonly string[] | null | undefined =>
    list ? list.map((item) => JSON.stringify(item)).sort() : list;
  return {
    ...rest,
    args: sorted(args),
    warnings: sorted(warnings),
    ...(buildError === undefined ? {} : { buildError: true, errorLines: buildError.location }),
  };
}

async function askDocker(call: string, context: string, flags: BuildFlags): Promise<Answer> {
  const args = ["buildx", "build", "--progress=quiet", `--call=${call},format=json`, "-f", join(context, flags.dockerfile)];
  if (frontend !== undefined) args.push("--build-arg", `BUILDKIT_SYNTAX=${frontend}`);
  for (const [key, value] of Object.entries(flags.buildArgs)) args.push("--build-arg", `${key}=${value}`);
  if (flags.target !== undefined) args.push("--target", flags.target);
  const { code, stdout } = await run("docker", [...args, context]);
  return stdout.trim() === "" ? { failed: code !== 0 } : normalize(stdout);
}

async function askVarve(call: (typeof calls)[number], varve: Varve, asked: DescribeOptions): Promise<Answer> {
  try {
    if (call === "check") return normalize(checkJson(await varve.check(asked)));
    if (call === "outline") return normalize(outlineJson(await varve.outline(asked)));
    return normalize(targetsJson(await varve.targets(asked)));
  } catch (error) {
    if (isVarveError(error)) return { failed: true };
    throw error;
  }
}

function run(program: string, args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 60_000,
      env: { ...process.env, BUILDX_GIT_INFO: "0" },
    });
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, stdout }));
  });
}
