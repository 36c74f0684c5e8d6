/** Builds with a store that remembers and with one that knows nothing, and compares what comes out, byte for byte. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, lstatSync, lutimesSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openVarve, type BuildOptions, type Varve } from "../../src/engine/index.ts";
import { isVarveError } from "../../src/errors/index.ts";
import { describeArchive, readOciArchive } from "./archive.ts";
import { removeTree } from "./sandbox.ts";

export type TruthBuild = Omit<BuildOptions, "outputs" | "dockerfile"> & { readonly text: string };

export interface Outcome {
  /** An OCI archive with plain layers, or nothing where the build failed. */
  readonly archive: Buffer | undefined;
  /** The code of what it failed with. */
  readonly code: string | undefined;
  readonly message: string | undefined;
  /** Steps that ran, by name. */
  readonly ran: readonly string[];
}

export interface Truth extends AsyncDisposable {
  readonly folder: string;
  path(...names: readonly string[]): string;
  /** Builds in the store that remembers. */
  build(options: TruthBuild): Promise<Outcome>;
  /** Builds in a store that has the base images and nothing else, without its cache. */
  buildAnew(options: TruthBuild): Promise<Outcome>;
  /** Both; fails where they differ. Gives the first. */
  compare(options: TruthBuild, fresh?: Partial<TruthBuild>): Promise<Outcome>;
  /** Forgets what the first store remembers. */
  forget(): Promise<void>;
}

export async function openTruth(images: readonly string[] = ["busybox"], settings = process.env["VARVE_CONFIG"]): Promise<Truth> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "varve-truth-")));
  const path = (...names: readonly string[]) => join(folder, ...names);
  const open = (store: string): Varve =>
    openVarve({
      root: path(store),
      ...(settings === undefined ? {} : { configPath: settings }),
      path: process.env["PATH"] ?? "",
    });
  // Snapshots never change: links to their files are as good as copies, and made in no time.
  const copyStore = (store: string) => {
    execFileSync("cp", ["-a", "--link", path("template"), path(store)]);
    for (const name of readdirSync(path("template"))) {
      if (!name.startsWith("state.db")) continue;
      rmSync(path(store, name));
      copyFileSync(path("template", name), path(store, name));
    }
  };
  {
    await using template = open("template");
    for (const image of images) await template.images.pull(image);
  }
  copyStore("store");
  let remembering = open("store");
  let count = 0;
  const buildAnew: Truth["buildAnew"] = async (options) => {
    const store = `fresh-${(count += 1)}`;
    copyStore(store);
    try {
      await using fresh = open(store);
      return await run(fresh, { ...options, noCache: true });
    } finally {
      removeTree(path(store));
    }
  };
  return {
    folder,
    path,
    build: async (options) => await run(remembering, options),
    buildAnew,
    async compare(options, fresh = {}) {
      const cached = await run(remembering, options);
      const anew = await buildAnew({ ...options, ...fresh });
      assertSame(cached, anew);
      return cached;
    },
    async forget() {
      await remembering.close();
      removeTree(path("store"));
      copyStore("store");
      remembering = open("store");
    },
    async [Symbol.asyncDispose]() {
      await remembering.close();
      removeTree(folder);
    },
  };
}

async function run(varve: Varve, { text, ...options }: TruthBuild): Promise<Outcome> {
  const chunks: Buffer[] = [];
  const ran: string[] = [];
  const build = varve.build({
    ...options,
    dockerfile: { text },
    outputs: [{ type: "oci", compression: "uncompressed", dest: async (chunk) => void chunks.push(Buffer.from(chunk)) }],
  });
  const ended = Promise.allSettled([build]);
  for await (const event of build) {
    if (event.type === "vertex" && event.completed !== undefined && event.cached !== true && event.name.startsWith("["))
      ran.push(event.name);
  }
  const [outcome] = await ended;
  if (outcome.status === "fulfilled") return { archive: Buffer.concat(chunks), code: undefined, message: undefined, ran };
  const error: unknown = outcome.reason;
  if (!isVarveError(error) || error.code === "INTERNAL") throw error;
  return { archive: undefined, code: error.code, message: error.message, ran };
}

/** Equal bytes, or the same failure. Where they are not, says which entries of which layer differ. */
export function assertSame(cached: Outcome, anew: Outcome): void {
  assert.deepEqual([cached.code, cached.message], [anew.code, anew.message], "one failed, or they failed differently");
  if (cached.archive === undefined || anew.archive === undefined || cached.archive.equals(anew.archive)) return;
  const [one, other] = [readOciArchive(cached.archive), readOciArchive(anew.archive)];
  const layer = one.layers.findIndex((bytes, index) => other.layers[index]?.equals(bytes) !== true);
  const describe = (bytes: Buffer | undefined) => (bytes === undefined ? undefined : describeArchive(bytes));
  assert.deepEqual(describe(one.layers[layer]), describe(other.layers[layer]), `the files of layer ${layer} differ`);
  assert.deepEqual(one.config, other.config, "the configs differ");
  assert.fail("the bytes differ, in what neither lists nor configs show: contents or attributes");
}

/** The time that {@link settle} gives to everything, in seconds since 1970. */
export const settledSeconds = 1_000_000_000;

/**
 * Gives everything in a folder one and the same time of change. It makes edits hard to see, and keeps times out of the
 * comparison: a copied file keeps its time, and a time alone is no reason to copy again, as in BuildKit.
 */
export function settle(path: string): void {
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) settle(join(path, name));
  lutimesSync(path, settledSeconds, settledSeconds);
}
