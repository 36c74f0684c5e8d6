import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import { openDirectoryTree } from "./directory-tree.ts";
import { hashAhead } from "./hash-ahead.ts";
import type { ContentCache, Tree } from "./tree.ts";

const mib = 1024 * 1024;
const forgetful: ContentCache = { recall: () => undefined, remember: () => undefined };

/** Three files of 24 MiB that are old enough to be remembered, and what is learned of them. */
async function plant(t: TestContext): Promise<{ tree: Tree; digests: string[]; learned: string[] }> {
  const path = mkdtempSync(join(tmpdir(), "varve-hash-ahead-"));
  t.after(() => rmSync(path, { recursive: true }));
  const data = randomBytes(24 * mib);
  const digests = [0, 1, 2].map((index) => {
    data[index] = index;
    writeFileSync(join(path, `file-${index}`), data);
    utimesSync(join(path, `file-${index}`), 1, 1);
    return createHash("sha256").update(data).digest("hex");
  });
  await setTimeout(3_500); // no file is so young then that it is not remembered
  const tree = openDirectoryTree(path, { resetOwner: true, cache: forgetful });
  t.after(() => tree.close());
  const learned: string[] = [];
  const telling: Tree = {
    ...tree,
    learnData(file, digest) {
      learned.push(`${file.path} ${digest}`);
      tree.learnData(file, digest);
    },
  };
  return { tree: telling, digests, learned };
}

test("L57 large files are hashed on threads, to the digests that reading them gives, until the build is given up", async (t) => {
  const { tree, digests, learned } = await plant(t);
  await hashAhead(tree, "/", { signal: new AbortController().signal });
  assert.deepEqual(
    learned.toSorted(),
    digests.map((digest, index) => `/file-${index} ${digest}`),
  );
  assert.deepEqual(
    tree.children("/").map((entry) => tree.contentOf(entry)),
    digests,
  );
  // one file is too little to be worth a thread, and what is not there is left to whoever reads it
  await hashAhead(tree, "/file-0", { signal: new AbortController().signal });
  await hashAhead(tree, "/missing", { signal: new AbortController().signal });
  assert.equal(learned.length, 3);
  await assert.rejects(hashAhead(tree, "/", { signal: AbortSignal.abort() }), { name: "AbortError" });
});
