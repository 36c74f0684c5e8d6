import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readGitLabels } from "./git-labels.ts";

test("B35 BUILDX_GIT_LABELS asks for commit, remote and Dockerfile of the context's checkout", async (t) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "varve-git-")));
  t.after(() => rmSync(folder, { recursive: true }));
  const own = { PATH: process.env["PATH"], HOME: folder };
  const git = (...args: string[]) => execFileSync("git", args, { cwd: folder, env: own, encoding: "utf8" }).trim();
  const read = (env: Record<string, string>, context = "app", dockerfile?: string) =>
    readGitLabels(
      { context, dockerfile },
      { env: { ...own, ...env } as Record<string, string>, cwd: folder, signal: new AbortController().signal },
    );
  mkdirSync(join(folder, "app"));
  writeFileSync(join(folder, "app/Dockerfile"), "FROM scratch\n");
  assert.deepEqual(await read({ BUILDX_GIT_LABELS: "1" }), {}, "no checkout");
  git("init", "-q");
  git("remote", "add", "origin", "https://user:secret@git.example/app.git");
  git("add", "app");
  git("-c", "user.name=a", "-c", "user.email=a@example", "commit", "-qm", "first");
  const commit = git("rev-parse", "HEAD");
  assert.deepEqual(await read({}), {});
  assert.deepEqual(await read({ BUILDX_GIT_LABELS: "full" }), {
    "org.opencontainers.image.revision": commit,
    "org.opencontainers.image.source": "https://git.example/app.git",
    "com.docker.image.source.entrypoint": "app/Dockerfile",
  });
  writeFileSync(join(folder, "app/Dockerfile"), "FROM scratch\nLABEL a=b\n");
  const dirty = await read({ BUILDX_GIT_LABELS: "true", BUILDX_GIT_CHECK_DIRTY: "1" }, "app", "app/../other");
  assert.equal(dirty["org.opencontainers.image.revision"], `${commit}-dirty`);
  assert.equal(dirty["com.docker.image.source.entrypoint"], "other");
  assert.deepEqual(await read({ BUILDX_GIT_LABELS: "1" }, "https://git.example/app.git"), {});
});
