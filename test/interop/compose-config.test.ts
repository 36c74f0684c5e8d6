/**
 * What Varve makes of Compose files beside what Docker Compose makes of them, text for text: as Docker Compose 2.40 printed it once,
 * and beside the real one where that version is here. `WRITE_EXPECTATIONS=1` asks the real one for what is stored.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { configHash, loadProject, printProject, withoutUnused, type LoadOptions } from "../../src/compose-file/index.ts";
import { composeCases, type ComposeCase } from "./compose-cases.ts";

const version = spawnSync("docker", ["compose", "version", "--short"], { encoding: "utf8" });
const isHere = version.status === 0 && /^v?2\.40\./.test(version.stdout);
const skip = isHere ? false : "there is no Docker Compose 2.40, whose text is compared";
const stored = new URL("../fixtures/compose/printed.json", import.meta.url);
/** By the title of the case; null: it is refused. */
const expected: Record<string, string | null> = JSON.parse(readFileSync(stored, "utf8"));
const writes = isHere && process.env["WRITE_EXPECTATIONS"] === "1";
const home = "/home/me";

const root = mkdtempSync(join(tmpdir(), "varve-compose-config-"));
after(() => {
  rmSync(root, { recursive: true });
  if (writes) writeFileSync(stored, `${JSON.stringify(expected, undefined, 1)}\n`);
});

const { PATH = "", HOME = "/", DOCKER_CONFIG = join(HOME, ".docker") } = process.env;

interface Printed {
  readonly yaml: string;
  readonly json: string;
  readonly hashes: readonly string[];
}

/** Writes the files of a case into a folder of its own. */
function writeCase({ files }: ComposeCase, index: number): string {
  const folder = join(root, `case${index}`, "app");
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

function runCompose(entry: ComposeCase, folder: string): Printed | string {
  const run = (
    ...args: readonly string[]
  ): { readonly status: number | null; readonly stdout: string; readonly stderr: string } =>
    spawnSync("docker", ["compose", ...(entry.flags ?? []), "config", ...args, ...(entry.services ?? [])], {
      cwd: join(folder, entry.cwd ?? "."),
      env: { PATH, HOME: home, DOCKER_CONFIG, ...entry.env },
      encoding: "utf8",
    });
  const yaml = run();
  if (yaml.status !== 0) return yaml.stderr;
  return {
    yaml: yaml.stdout,
    json: run("--format=json").stdout,
    hashes: run("--hash=*").stdout.trim().split("\n").toSorted(),
  };
}

async function runVarve(entry: ComposeCase, folder: string): Promise<Printed | string> {
  const values = (flag: string): readonly string[] =>
    (entry.flags ?? []).flatMap((each, index, all) => (all[index - 1] === flag ? [each] : []));
  const [projectName] = values("-p");
  const [projectDirectory] = values("--project-directory");
  const options: LoadOptions = {
    cwd: join(folder, entry.cwd ?? "."),
    env: { PATH, HOME: home, DOCKER_CONFIG, ...entry.env },
    files: values("-f"),
    profiles: values("--profile"),
    envFiles: values("--env-file"),
    services: entry.services ?? [],
    ...(projectName === undefined ? {} : { projectName }),
    ...(projectDirectory === undefined ? {} : { projectDirectory }),
    access: {
      home,
      readFile: async (path) => await Promise.resolve(kindOf(path) === "file" ? readFileSync(path, "utf8") : undefined),
      kindOf: async (path) => await Promise.resolve(kindOf(path)),
    },
  };
  try {
    const project = withoutUnused(await loadProject(options));
    const unresolved = await loadProject({ ...options, services: [], resolveEnvironment: false });
    const hashes = Object.values(unresolved.services).map((service) => `${service.name} ${configHash(service)}`);
    return {
      yaml: printProject(project, { format: "yaml" }),
      json: printProject(project, { format: "json" }),
      hashes: hashes.toSorted(),
    };
  } catch (error) {
    assert.ok(error instanceof Error && error.name === "VarveError", String(error instanceof Error ? error.stack : error));
    return error.message;
  }
}

function kindOf(path: string): "file" | "folder" | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  return found.isDirectory() ? "folder" : "file";
}

/** What does not hang on where the case's folder is. */
const placeless = (printed: Printed | string, folder: string): string | null =>
  typeof printed === "string" ? null : printed.yaml.replaceAll(dirname(folder), "");

for (const [index, entry] of composeCases.entries()) {
  test(`${entry.title}, as Docker Compose printed it`, async () => {
    const folder = writeCase(entry, index);
    if (writes) expected[entry.title] = placeless(runCompose(entry, folder), folder);
    assert.ok(entry.title in expected, "there is no expectation");
    assert.equal(placeless(await runVarve(entry, folder), folder), expected[entry.title]);
    assert.equal(expected[entry.title] === null, entry.fails === true);
  });

  test(`${entry.title}, as Docker Compose has it here`, { skip }, async () => {
    const folder = writeCase(entry, index);
    const theirs = runCompose(entry, folder);
    const ours = await runVarve(entry, folder);
    if (typeof theirs === "string") assert.equal(typeof ours, "string", `Varve takes it: ${JSON.stringify(ours)}`);
    else assert.deepEqual(ours, theirs);
  });
}
