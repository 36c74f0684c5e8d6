import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { isVarveError, VarveError } from "../errors/index.ts";
import { listFiles } from "./list-files.ts";
import { watchFiles, type FileWatch, type FileWatchOptions } from "./watch-files.ts";

let folder = "";
let watch: FileWatch | undefined;
/** Paths that some step has changed: what a slow machine tells of late is no fault. */
const touched = new Set<string>();

beforeEach(() => touched.clear());
beforeEach(() => void (folder = realpathSync(mkdtempSync(join(tmpdir(), "varve-watch-")))));
afterEach(() => {
  watch?.close();
  rmSync(folder, { recursive: true });
});

const at = (...names: readonly string[]): string => join(folder, ...names);
const put = (...names: readonly string[]): void => writeFileSync(at(...names), "x");
const start = (paths: readonly string[], options: FileWatchOptions = {}): void =>
  void (watch = watchFiles(
    paths.map((path) => at(path)),
    { quietMs: 50, ...options },
  ));

/** Waits until all of these were told of, and nothing that never changed. */
async function expect(...paths: readonly string[]): Promise<void> {
  for (const path of paths) touched.add(path);
  const seen = new Set<string>();
  const signal = AbortSignal.timeout(60_000);
  while (!paths.every((path) => seen.has(path))) {
    for (const path of (await watch?.next({ signal })) ?? []) seen.add(relative(folder, path));
  }
  assert.deepEqual(
    [...seen].filter((path) => !touched.has(path)),
    [],
  );
}

test("M76 a file that is written, made and removed is told of", async () => {
  put("old");
  start(["."]);
  put("old");
  await expect("old");
  put("new");
  await expect("new");
  rmSync(at("new"));
  await expect("new");
});

test("M76 what is made in a new folder is seen, also what was there before the folder came", async () => {
  start(["."]);
  mkdirSync(at("a/b/c"), { recursive: true });
  put("a/b/c/deep");
  await expect("a", "a/b", "a/b/c", "a/b/c/deep");
  put("a/b/c/later");
  await expect("a/b/c/later");
});

test("M76 a folder that goes is told of with all that was in it, and one in its place is looked at anew", async () => {
  mkdirSync(at("src/sub"), { recursive: true });
  put("src/sub/file");
  start(["src"]);
  renameSync(at("src/sub"), at("aside"));
  await expect("src/sub", "src/sub/file");
  put("aside/more");
  renameSync(at("aside"), at("src/sub"));
  await expect("src/sub", "src/sub/file", "src/sub/more");
  put("src/sub/file");
  await expect("src/sub/file");
  rmSync(at("src/sub"), { recursive: true });
  await expect("src/sub", "src/sub/file", "src/sub/more");
});

test("M76 a single file is followed through an editor's saving by rename; its neighbours are nobody's business", async () => {
  put("config");
  start(["config"]);
  put("neighbour");
  put("config.new");
  renameSync(at("config.new"), at("config"));
  await expect("config");
  put("config");
  await expect("config");
  rmSync(at("config"));
  await expect("config");
  put("config");
  await expect("config");
});

test("M76 a watched path may come later, go, and come again", async () => {
  start(["a/b/src"]);
  mkdirSync(at("a/b/src"), { recursive: true });
  put("a/b/src/file");
  await expect("a/b/src", "a/b/src/file");
  rmSync(at("a"), { recursive: true });
  await expect("a/b/src", "a/b/src/file");
  mkdirSync(at("a/b/src"), { recursive: true });
  await expect("a/b/src");
  put("a/b/src/file");
  await expect("a/b/src/file");
});

test("M76 what happens beside a watched folder under the name of its parent folder is not taken for the parent's end", async () => {
  mkdirSync(at("app/src"), { recursive: true });
  put("app/src/file");
  start(["app/src"]);
  put("app/app");
  put("app/src/other");
  await expect("app/src/other");
});

test("M76 what is not to be told of does not hold back what is", async () => {
  mkdirSync(at("node_modules"));
  start(["."], { keep: (path) => !path.includes("node_modules"), mayEnter: (path) => !path.endsWith("node_modules") });
  put("node_modules/x");
  put("file");
  await expect("file");
});

test("M76 waiting ends when it is aborted, and what changed meanwhile is in the next batch", async () => {
  start(["."]);
  const abort = new AbortController();
  const waiting = watch?.next({ signal: abort.signal });
  abort.abort(new VarveError("CANCELED", "enough"));
  await assert.rejects(
    async () => await waiting,
    (error) => isVarveError(error) && error.code === "CANCELED",
  );
  put("file");
  await expect("file");
});

test("M76 a path below a file, and one that is not there, are no failure", () => {
  put("file");
  start(["file/below", "missing"]);
});

test("M76 the files of a folder are listed folders first, without those that are not to be entered", () => {
  mkdirSync(at("a/skip"), { recursive: true });
  put("a/file");
  put("a/skip/file");
  const paths = [...listFiles(folder, (path) => !path.endsWith("skip"))];
  assert.deepEqual(paths, [at("a"), at("a/file")]);
  assert.deepEqual([...listFiles(at("a/file"))], [at("a/file")]);
  assert.deepEqual([...listFiles(at("none"))], []);
});
