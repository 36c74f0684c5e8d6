/**
 * Measures Varve beside a Docker Engine, and a BuildKit daemon where there is one: node bench/run.ts --base ARCHIVE
 *   [--only=NAME,…]   cached, steps, files, layer, stages, memory, registry (default: all)
 *   [--runs=N]        how often each builder does each workload (default: each workload's own number)
 *   [--write]         writes bench/RESULTS.md; without it the table is printed only
 *   [--package=DIR]   a package other than this one; [--files=N] [--layer-mb=N] [--memory-gb=N] [--image-mb=N] sizes
 * bench.sh brings the base image and the engine.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { openBuildkitBuilder, openDockerBuilder, openVarveBuilder } from "./builders.ts";
import { describeMachine, loadOf } from "./machine.ts";
import { formatResults, type Measured } from "./results.ts";
import type { Bench } from "./workload.ts";
import { cached } from "./workloads/cached.ts";
import { files } from "./workloads/files.ts";
import { layer } from "./workloads/layer.ts";
import { memory } from "./workloads/memory.ts";
import { registry } from "./workloads/registry.ts";
import { stages } from "./workloads/stages.ts";
import { steps } from "./workloads/steps.ts";

const workloads = [cached, steps, files, layer, stages, memory, registry];
const { values: options } = parseArgs({
  options: {
    base: { type: "string" },
    only: { type: "string" },
    runs: { type: "string" },
    write: { type: "boolean" },
    package: { type: "string" },
    files: { type: "string", default: "50000" },
    "layer-mb": { type: "string", default: "400" },
    "memory-gb": { type: "string", default: "8" },
    "image-mb": { type: "string", default: "1000" },
  },
});
if (options.base === undefined) throw new Error("--base is missing: bench.sh gives it");
const only = options.only?.split(",");
const unknown = only?.find((name) => !workloads.some((workload) => workload.name === name));
if (unknown !== undefined) throw new Error(`there is no workload ${unknown}: ${workloads.map(({ name }) => name).join(", ")}`);

const home = mkdtempSync(join(tmpdir(), "varve-bench-"));
try {
  const folder = (name: string) => {
    const path = join(home, `${name}-${process.pid}`);
    mkdirSync(path);
    return path;
  };
  const root = resolve(options.package ?? join(import.meta.dirname, ".."));
  const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { bin: { varve: string } };
  const varve = openVarveBuilder(join(root, bin.varve), folder("store"), options.base);
  const docker = openDockerBuilder(options.base);
  if (typeof docker === "string") console.log(`bench: ${docker}; Varve is measured alone`);
  const buildkit = openBuildkitBuilder(options.base, home);
  if (buildkit === undefined) console.log("bench: no BuildKit daemon (BUILDKIT_HOST and buildctl) takes part");
  const builders = [varve, ...(typeof docker === "string" ? [] : [docker]), ...(buildkit === undefined ? [] : [buildkit])];
  const bench: Bench = {
    builders,
    runs: (byDefault) => (options.runs === undefined ? byDefault : Number(options.runs)),
    folder,
    size: {
      files: Number(options.files),
      layerMb: Number(options["layer-mb"]),
      memoryGb: Number(options["memory-gb"]),
      imageMb: Number(options["image-mb"]),
    },
    base: options.base,
    say: (text) => console.log(`bench: ${text}`),
  };
  const machine = describeMachine(
    home,
    builders.map(({ version }) => version),
  );
  const all: Measured[] = [];
  for (const workload of workloads.filter(({ name }) => only === undefined || only.includes(name))) {
    console.log(`bench: ${workload.name}`);
    const before = loadOf();
    all.push({ workload: workload.name, results: await workload.measure(bench), load: [before, loadOf()] });
    if (options.write) writeFileSync(join(import.meta.dirname, "RESULTS.md"), formatResults(all, machine));
  }
  console.log(formatResults(all, machine));
} finally {
  rmSync(home, { recursive: true, force: true });
}
