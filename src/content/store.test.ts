import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { VarveError } from "../errors/index.ts";
import type { ByteSource } from "../flow/index.ts";
import { sha256, type Digest } from "../oci/index.ts";
import { openContentStore, type ContentStore } from "./index.ts";

function openTemporary(t: TestContext): ContentStore {
  const root = mkdtempSync(join(tmpdir(), "varve-content-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return openContentStore(join(root, "store"));
}

async function* chunked(...chunks: (string | Uint8Array)[]): ByteSource & AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

const unfinished = (store: ContentStore): string[] => readdirSync(join(store.root, "ingest"));
const everything = { maxBytes: 1e9 };

test("a store that does not exist yet is empty", async (t) => {
  const store = openTemporary(t);
  assert.deepEqual(
    [
      await store.has(sha256("x")),
      await store.stat(sha256("x")),
      await store.list(),
      await store.sweepIngest(),
      await store.delete(sha256("x")),
    ],
    [false, undefined, [], 0, false],
  );
  assert.equal(existsSync(store.root), false);
  await assert.rejects(store.readAll(sha256("x"), everything), { code: "CONTENT_NOT_FOUND" });
});

test("what goes in comes out, under its digest, and again from a second store on the folder", async (t) => {
  const store = openTemporary(t);
  const big = Buffer.alloc(1_500_000, "varve");
  const progress: number[] = [];
  const blob = await store.ingest(chunked(big.subarray(0, 7), big.subarray(7, 900_000), big.subarray(900_000)), {
    onProgress: (total) => progress.push(total),
  });
  assert.deepEqual(blob, { digest: sha256(big), size: big.length });
  assert.equal(progress.at(-1), big.length);
  const small = await store.writeBytes(Buffer.from("small"));
  const other = openContentStore(store.root);
  assert.ok(big.equals(await other.readAll(blob.digest, everything)));
  assert.deepEqual(await other.stat(small.digest), { size: 5 });
  assert.deepEqual((await other.list()).sort(), [blob.digest, small.digest].sort());
  assert.equal(readFileSync(other.pathOf(small.digest), "utf8"), "small");
  assert.deepEqual(unfinished(store), []);
  assert.equal(await other.delete(small.digest), true);
  assert.equal(await store.has(small.digest), false);
});

test("empty content is a blob too", async (t) => {
  const store = openTemporary(t);
  assert.deepEqual(await store.ingest(chunked()), { digest: sha256(""), size: 0 });
  assert.equal((await store.readAll(sha256(""), everything)).length, 0);
});

test("content that breaks its promise leaves nothing behind", async (t) => {
  const store = openTemporary(t);
  const expected = { digest: sha256("abc"), size: 3 };
  await assert.rejects(store.ingest(chunked("abd"), { expected }), {
    code: "CONTENT_DIGEST_MISMATCH",
  });
  await assert.rejects(store.ingest(chunked("abc", "d"), { expected }), {
    code: "CONTENT_SIZE_MISMATCH",
  });
  await assert.rejects(store.ingest(chunked("ab"), { expected }), {
    code: "CONTENT_DIGEST_MISMATCH",
  });
  await assert.rejects(store.ingest(chunked("abc"), { maxBytes: 2 }), {
    code: "CONTENT_TOO_LARGE",
  });
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from("a");
    throw new VarveError("REGISTRY_UNREACHABLE", "broke off");
  };
  await assert.rejects(store.ingest(broken(), { expected }), { code: "REGISTRY_UNREACHABLE" });
  assert.deepEqual([unfinished(store), await store.list()], [[], []]);
});

test("an abort ends an ingest with its reason, even from a source that hangs, and removes the file", async (t) => {
  const store = openTemporary(t);
  const controller = new AbortController();
  const hang = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from("a");
    setImmediate(() => controller.abort(new VarveError("CANCELED", "stop")));
    await new Promise(() => undefined);
  };
  await assert.rejects(store.ingest(hang(), { signal: controller.signal }), { message: "stop" });
  assert.deepEqual(unfinished(store), []);
});

test("a blob that is there is not fetched again", async (t) => {
  const store = openTemporary(t);
  const expected = await store.writeBytes(Buffer.from("abc"));
  const untouched: ByteSource = {
    [Symbol.asyncIterator]: () => assert.fail("the source was read"),
  };
  assert.deepEqual(await store.ingest(untouched, { expected }), expected);
});

test("a damaged file is noticed when it is read", async (t) => {
  const store = openTemporary(t);
  const { digest } = await store.writeBytes(Buffer.from("abc"));
  chmodSync(store.pathOf(digest), 0o644);
  appendFileSync(store.pathOf(digest), "d");
  await assert.rejects(store.readAll(digest, everything), { code: "CONTENT_DIGEST_MISMATCH" });
  await assert.rejects(store.readAll(digest, { maxBytes: 3 }), { code: "CONTENT_TOO_LARGE" });
});

test("a digest of another algorithm is refused, not looked up", async (t) => {
  const store = openTemporary(t);
  await assert.rejects(store.has(`sha512:${"a".repeat(128)}` as Digest), {
    code: "CONTENT_ALGORITHM",
  });
});

test("a file that a worker wrote is taken over, a link or a foreign path is not", async (t) => {
  const store = openTemporary(t);
  const path = store.ingestPath();
  writeFileSync(path, "layer");
  assert.deepEqual(await store.commitFile(path, sha256("layer")), {
    digest: sha256("layer"),
    size: 5,
  });
  assert.equal(existsSync(path), false);
  assert.equal(Buffer.from(await store.readAll(sha256("layer"), everything)).toString(), "layer");
  await assert.rejects(store.commitFile(join(store.root, "elsewhere"), sha256("x")), TypeError);
  const link = store.ingestPath();
  symlinkSync(store.pathOf(sha256("layer")), link);
  await assert.rejects(store.commitFile(link, sha256("y")), { code: "CONTENT_STORE" });
});

test("a sweep removes what is a day old and leaves what is being written", async (t) => {
  const store = openTemporary(t);
  const [young, old, foreign] = [store.ingestPath(), store.ingestPath(), join(store.root, "ingest", "odd-name")];
  for (const path of [young, old, foreign]) writeFileSync(path, "x");
  const dayAgo = Date.now() / 1000 - 86_500;
  utimesSync(old, dayAgo, dayAgo);
  assert.equal(await store.sweepIngest(), 1);
  assert.deepEqual([existsSync(young), existsSync(old), existsSync(foreign)], [true, false, true]);
});

/** Runs a script with the store in another process; `store` and `sha256` are in scope. */
function runElsewhere(store: ContentStore, script: string): ReturnType<typeof spawn> {
  const from = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const code = `import { openContentStore } from ${from("./index.ts")}; import { sha256 } from ${from("../oci/index.ts")};
    const store = openContentStore(${JSON.stringify(store.root)}); ${script}`;
  return spawn(process.execPath, ["--input-type=module-typescript", "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

test("a writer killed in the middle leaves no blob, and its file is swept", async (t) => {
  const store = openTemporary(t);
  const child = runElsewhere(
    store,
    // slowly once enough is written: whoever kills it may be long in coming
    `const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
     const endless = async function* () { for (let n = 0; ; n++) { if (n > 50) await pause(); yield Buffer.alloc(65536, 1); } };
     let told = false;
     await store.ingest(endless(), { onProgress: (total) => { if (total > 2e6 && !told) { told = true; console.log("writing"); } } });`,
  );
  t.after(() => child.kill("SIGKILL"));
  assert.ok(child.stdout);
  await once(child.stdout, "data");
  assert.equal(await store.sweepIngest(), 0, "the writer lives");
  child.kill("SIGKILL");
  await once(child, "exit");
  const [left = ""] = unfinished(store);
  assert.ok(statSync(join(store.root, "ingest", left)).size > 0);
  assert.deepEqual(await store.list(), []);
  assert.equal(await store.sweepIngest(), 1);
  assert.deepEqual(unfinished(store), []);
  await store.writeBytes(Buffer.from("the store goes on"));
});

test("several processes that store the same blob all succeed", async (t) => {
  const store = openTemporary(t);
  const script = `for (let i = 0; i < 20; i++) { const b = Buffer.alloc(100000 + i, 7); await store.ingest((async function* () { yield b; })()); await store.readAll(sha256(b), { maxBytes: 1e9 }); }`;
  const children = [runElsewhere(store, script), runElsewhere(store, script)];
  const codes = await Promise.all(children.map(async (child) => (await once(child, "exit"))[0] as unknown));
  assert.deepEqual(codes, [0, 0]);
  assert.equal((await store.list()).length, 20);
  assert.deepEqual(unfinished(store), []);
});
