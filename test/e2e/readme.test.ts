import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const repo = resolve(import.meta.dirname, "../..");

test("the library example of the README runs as it stands there", async (t) => {
  mkdirSync(join(repo, ".varve"), { recursive: true });
  // Inside the package the name "varve" means the package itself, as it is built.
  const folder = mkdtempSync(join(repo, ".varve", "readme-"));
  // the sync after a build may leave its mark meanwhile
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  const [, example = ""] = /## The library\n\n```ts\n(.*?)```/s.exec(readFileSync(join(repo, "README.md"), "utf8")) ?? [];
  assert.match(example, /openVarve\(\{ root: "\/tmp\/store" \}\)/);
  const program = `${example.replace('"/tmp/store"', JSON.stringify(join(folder, "store")))}\nconsole.log(imageId, descriptor?.mediaType);\n`;
  writeFileSync(join(folder, "example.mts"), program);
  writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
  const { stdout } = await promisify(execFile)(process.execPath, ["example.mts"], { cwd: folder });
  assert.match(stdout, /^\[1\/1\] COPY Dockerfile \/ done$/m);
  assert.match(stdout, /^sha256:[0-9a-f]{64} application\/vnd\.oci\.image\.manifest\.v1\+json$/m);
  assert.ok(statSync(join(folder, "hello.tar")).size > 1024);
});
