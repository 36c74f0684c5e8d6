/**
 * Runs containers with each flag of `docker run`, with a real Docker Engine and with Varve, and compares what is seen inside, what is
 * written and the exit code. Prints a table: flag, what was looked at, equal or refused with a reason.
 *   node test/conformance/run-flags.ts [--only PART-OF-A-FLAG] [--from NUMBER] [--reduced] [--verbose] [--markdown] [--runtime runc]
 * The engine is the one that DOCKER_HOST names; engine.sh brings one. Without one all cases are skipped, and said so. An engine with a
 * root of its own sees other files than ours: VARVE_CONFORMANCE_SHARED=FOLDER=AS_THE_ENGINE_SEES_IT names a folder that both have.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeBaseImages } from "./base-image.ts";
import { connectDocker } from "./builders.ts";
import { flagCases, type FlagCase } from "./run-flag-cases.ts";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    from: { type: "string" },
    reduced: { type: "boolean" },
    verbose: { type: "boolean" },
    markdown: { type: "boolean" },
    runtime: { type: "string" },
  },
});
/** `--reduced` takes the first case and every so many after it. */
const reducedStride = 6;
const timeoutMs = 60_000;
/** A folder that both see, and what the engine calls it. */
const [shared = tmpdir(), sharedName = shared] = process.env["VARVE_CONFORMANCE_SHARED"]?.split("=") ?? [];
const main = join(import.meta.dirname, "../../src/cli/main.ts");

interface Seen {
  readonly exitCode: number | null;
  readonly output: string;
  readonly errors: string;
}

const chosen = flagCases
  .filter(({ flags }) => options.only?.some((part) => (flags.join(" ") || "(none)").includes(part)) ?? true)
  .slice(Number(options.from ?? 0))
  .filter((_, index) => options.reduced !== true || index % reducedStride === 0);
const docker = connectDocker();
if (typeof docker === "string") {
  console.log(`run flags: ${docker}; test/conformance/engine.sh brings one`);
  console.log(`0 equal, 0 refused, 0 different, ${chosen.length} skipped`);
} else {
  console.log(`${docker.name.split(",")[0] ?? ""} and Varve`);
  const missing = uncovered();
  for (const flag of missing) console.log(`no case tries --${flag}`);
  if (!(await compareAll()) || missing.length > 0) process.exitCode = 1;
}

/** Flags of the engine's own `docker run --help` that no case has. */
function uncovered(): readonly string[] {
  const help = spawnSync("docker", ["run", "--help"], { encoding: "utf8" }).stdout;
  const known = [...help.matchAll(/^\s+(?:-(\w), |\s+)--([\w-]+)/gm)].map(([, short, name = ""]) => ({ short, name }));
  const used = flagCases.flatMap(({ flags }) =>
    flags.filter((flag) => flag.startsWith("-")).map((flag) => flag.split("=")[0] ?? ""),
  );
  console.log(`docker run --help has ${known.length} flags`);
  return known
    .filter(({ short, name }) => name !== "help" && !used.includes(`--${name}`) && !used.includes(`-${short}`))
    .map(({ name }) => name);
}

async function compareAll(): Promise<boolean> {
  const work = mkdtempSync(join(shared, "varve-flags-"));
  chmodSync(work, 0o755);
  const counts = { equal: 0, refused: 0, different: 0, skipped: 0 };
  const env = varveEnvironment(work);
  try {
    prepare(work);
    await load(work, env);
    const sees = { files: seesFiles(work), network: seesNetwork() };
    for (const [index, one] of chosen.entries()) {
      const what = one.flags.join(" ") || "(none)";
      if (one.needs !== undefined && !sees[one.needs]) {
        counts.skipped += 1;
        row("skipped", what, one, `the engine has other ${one.needs}`);
        continue;
      }
      const place = { work, id: `varve-flags-${process.pid}-${index}` };
      const ours = look("varve", one, place, env);
      if (one.refused !== undefined) {
        const isRefused = ours.exitCode === 125 && one.refused.test(ours.errors);
        counts[isRefused ? "refused" : "different"] += 1;
        row(isRefused ? "refused" : "DIFFERENT", what, one, reasonOf(ours.errors));
        continue;
      }
      const theirs = look("docker", one, place, process.env);
      const differences = compare(theirs, ours);
      counts[differences.length === 0 ? "equal" : "different"] += 1;
      row(differences.length === 0 ? "equal" : "DIFFERENT", what, one, summaryOf(theirs));
      for (const line of differences) console.log(`    ${line}`);
    }
  } finally {
    spawnSync(
      "sh",
      ["-c", 'for id in $(node "$0" ps -aq); do node "$0" rm -fv $id; done'.replaceAll("node", process.execPath), main],
      { env },
    );
    rmSync(work, { recursive: true, force: true });
  }
  console.log(`${counts.equal} equal, ${counts.refused} refused, ${counts.different} different, ${counts.skipped} skipped`);
  return counts.different === 0;
}

function varveEnvironment(work: string): NodeJS.ProcessEnv {
  const none = join(work, "none");
  const { DOCKER_HOST: _host, ...env } = process.env;
  return {
    ...env,
    VARVE_ROOT: join(work, "store"),
    VARVE_CONFIG: `${none}.toml`,
    DOCKER_CONFIG: none,
    ...(options.runtime === undefined ? {} : { VARVE_RUNTIME: options.runtime }),
  };
}

function prepare(work: string): void {
  mkdirSync(join(work, "data"));
  writeFileSync(join(work, "data/file"), "from the machine\n");
  writeFileSync(join(work, "env"), "# a comment\n\nONE=1\n  TWO=two words \nB\nEMPTY=\n");
  writeFileSync(join(work, "labels"), "from=file\nbare\n");
  const deny = { names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" };
  writeFileSync(join(work, "seccomp.json"), JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [deny] }));
}

async function load(work: string, env: NodeJS.ProcessEnv): Promise<void> {
  const images = makeBaseImages();
  if (typeof docker !== "string") await docker.loadImages(images);
  const file = join(work, "images.tar");
  writeFileSync(file, images);
  const { status, stderr } = spawnSync(process.execPath, [main, "load", "-q", "-i", file], { env, encoding: "utf8" });
  if (status !== 0) throw new Error(`varve load: ${stderr}`);
}

/** Engines that live in a root of their own mount other files than ours. */
function seesFiles(work: string): boolean {
  const { stdout } = spawnSync(
    "docker",
    ["run", "--rm", "-v", `${work.replace(shared, sharedName)}/data:/d`, "varve-base:latest", "cat", "/d/file"],
    {
      encoding: "utf8",
    },
  );
  return stdout === "from the machine\n";
}

function seesNetwork(): boolean {
  const { stdout } = spawnSync("docker", ["run", "--rm", "varve-base:latest", "ls", "/sys/class/net"], { encoding: "utf8" });
  return stdout.includes("eth0");
}

function look(
  engine: "docker" | "varve",
  one: FlagCase,
  place: { readonly work: string; readonly id: string },
  env: NodeJS.ProcessEnv,
): Seen {
  const { work } = place;
  const id = `${place.id}-${engine}`;
  const seen = engine === "docker" && one.needs === "files" ? work.replace(shared, sharedName) : work;
  const fill = (text: string): string => text.replaceAll("@WORK", seen).replaceAll("@ID", id);
  const own = engine === "docker" ? ["docker"] : [process.execPath, main];
  const keeps = one.flags.some((flag) => flag === "--name" || flag === "--cidfile" || flag === "--restart");
  const rm = keeps || one.afterwards !== undefined ? [] : ["--rm"];
  const command = one.command ?? ["sh", "-c", one.observe ?? ""];
  const [program = "", ...words] = [...own, "run", ...rm, ...one.flags.map(fill), one.image ?? "varve-base:latest", ...command];
  const run = spawnSync(program, words, {
    env: { ...env, B: "of the client" },
    encoding: "utf8",
    input: one.stdin ?? "",
    timeout: timeoutMs,
    cwd: work,
  });
  const script = fill(one.afterwards ?? "").replaceAll(
    "@ENGINE",
    engine === "docker" ? "docker" : `"${process.execPath}" "${main}"`,
  );
  const after = script === "" ? "" : spawnSync("sh", ["-c", script], { env, encoding: "utf8", timeout: timeoutMs }).stdout;
  const [kept = "", errors = ""] = [run.stdout + after, run.stderr].map((text) =>
    (one.alike ?? []).reduce(
      (all, [pattern, replacement]) => all.replace(pattern, replacement),
      text.replaceAll("\r\n", "\n").replaceAll(id, "NAME"),
    ),
  );
  return { exitCode: run.status, output: kept, errors };
}

function compare(theirs: Seen, ours: Seen): readonly string[] {
  const differences: string[] = [];
  if (theirs.exitCode !== ours.exitCode) differences.push(`exit code: docker ${theirs.exitCode}, varve ${ours.exitCode}`);
  const [left, right] = [theirs.output.split("\n"), ours.output.split("\n")];
  const say = (line: string): boolean => differences.push(line) > 0;
  left.filter((line) => !right.includes(line)).forEach((line) => say(`docker: ${line}`));
  right.filter((line) => !left.includes(line)).forEach((line) => say(`varve:  ${line}`));
  if (differences.length === 0 && theirs.output !== ours.output) differences.push("the same lines in another order or number");
  const failed = theirs.exitCode === 125 || theirs.exitCode === 126 || theirs.exitCode === 127;
  const [reason, ownReason] = [reasonOf(theirs.errors), reasonOf(ours.errors)];
  if (failed && theirs.exitCode === 125 && reason !== ownReason)
    differences.push(`docker says: ${reason}`, `varve says:  ${ownReason}`);
  if (differences.length > 0 && ours.errors !== "" && !failed)
    differences.push(`varve's stderr: ${ours.errors.trim().slice(0, 300)}`);
  if (options.verbose === true)
    differences.push(...(differences.length > 0 ? [theirs.output, ours.output, theirs.errors, ours.errors] : []));
  return differences;
}

/** The sentence of a failure without what the programs put around it. */
function reasonOf(errors: string): string {
  const line = errors.split("\n").find((text) => text.trim() !== "") ?? "";
  return line
    .replace(/^(?:docker: |ERROR: )/, "")
    .replace(/^Error response from daemon: /, "")
    .replace(/ \[[A-Z_]+\]$/, "")
    .trim();
}

function summaryOf({ exitCode, output, errors }: Seen): string {
  const text = exitCode === 125 ? reasonOf(errors) : output.trim().replace(/\s*\n\s*/g, " · ");
  return `${exitCode === 0 ? "" : `[${exitCode}] `}${text.length > 90 ? `${text.slice(0, 89)}…` : text}`;
}

function row(result: string, flags: string, one: FlagCase, seen: string): void {
  const observed = one.command?.join(" ") ?? one.observe ?? "";
  const shown = observed.length > 60 ? `${observed.slice(0, 59)}…` : observed;
  if (options.markdown === true)
    console.log(`| \`${flags}\` | \`${shown.replaceAll("|", "\\|")}\` | ${result} | ${seen.replaceAll("|", "\\|")} |`);
  else console.log(`${result.padEnd(9)} ${flags.padEnd(48)} ${seen}`);
}
