import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { commitSeconds, startGitServer, type GitServer, type Repository } from "../kit/git-server.ts";
import { isVarveError } from "../../src/errors/index.ts";
import type { TaskContext, Worker } from "../../src/worker/index.ts";
import { runGitCheckoutTask } from "../../src/sources/git-checkout.ts";
import { readGitRequest } from "../../src/sources/git-request.ts";
import { createGitSource } from "../../src/sources/git-source.ts";
import type { GitCheckoutParams } from "../../src/sources/git-tasks.ts";

let folder: string;
let server: GitServer;
let plain: Repository;
let first: string;
let second: string;
let count = 0;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "varve-git-source-"));
  server = await startGitServer();
  plain = server.create("plain");
  writeFileSync(join(plain.work, "file"), "one");
  writeFileSync(join(plain.work, "run.sh"), "#!/bin/sh", { mode: 0o755 });
  mkdirSync(join(plain.work, "sub/deep"), { recursive: true });
  writeFileSync(join(plain.work, "sub/deep/x"), "x");
  symlinkSync("sub/deep", join(plain.work, "link"));
  symlinkSync("/etc", join(plain.work, "etc"));
  first = plain.commit();
  plain.git("tag", "light");
  plain.git("tag", "--annotate", "--message=t", "v1");
  plain.git("branch", "other");
  writeFileSync(join(plain.work, "file"), "two");
  second = plain.commit();
});

after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** The worker's task, run here: it needs no namespace. */
function inProcess(): Worker {
  return {
    started: true,
    prepare: async () => undefined,
    call: (async (_task: unknown, params: GitCheckoutParams, { signal }: { signal: AbortSignal }) =>
      runGitCheckoutTask(params, { signal } as TaskContext<never>)) as unknown as Worker["call"],
    close: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

interface Setup {
  readonly attrs?: Record<string, string>;
  readonly secrets?: Record<string, string>;
  readonly signal?: AbortSignal;
  /** Folder of the store; default one for all. */
  readonly root?: string;
  readonly path?: string;
}

interface CheckedOut {
  readonly key: string;
  readonly commit: string;
  readonly path: string;
}

async function checkOut(url: string, fragment = "", setup: Setup = {}): Promise<CheckedOut> {
  const {
    attrs = {},
    secrets = {},
    signal = new AbortController().signal,
    root = join(folder, "store"),
    path = process.env["PATH"] ?? "",
  } = setup;
  const request = readGitRequest(`git://${url.replace(/^\w+:\/\//, "")}${fragment === "" ? "" : `#${fragment}`}`, {
    "git.fullurl": url,
    ...attrs,
  });
  const source = createGitSource({ root, worker: inProcess(), path });
  const use = { signal, secret: async (id: string) => (Object.hasOwn(secrets, id) ? Buffer.from(secrets[id] ?? "") : undefined) };
  const resolved = await source.resolve(request, use);
  const snapshot = join(folder, `snapshot-${(count += 1)}`);
  await source.checkout(request, resolved, { ...use, snapshot });
  assert.deepEqual(readdirSync(snapshot), ["fs"]);
  return { key: source.keyOf(request, resolved), commit: resolved.commit, path: join(snapshot, "fs") };
}

async function failureOf(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await work;
  } catch (error) {
    assert.ok(isVarveError(error), String(error));
    return error;
  }
  return { code: "none", message: "" };
}

const text = (checkout: CheckedOut, name: string) => readFileSync(join(checkout.path, name), "utf8");

test("C17 the default branch is checked out with git's two modes, the commit's time and no .git", async () => {
  const checkout = await checkOut(plain.url);
  assert.equal(checkout.commit, second);
  assert.equal(text(checkout, "file"), "two");
  assert.deepEqual(readdirSync(checkout.path).sort(), ["etc", "file", "link", "run.sh", "sub"]);
  const modes = ["file", "run.sh", "sub", "."].map((name) => lstatSync(join(checkout.path, name)).mode & 0o7777);
  assert.deepEqual(modes, [0o644, 0o755, 0o755, 0o755]);
  for (const name of ["file", "sub", "sub/deep/x", "link", "."])
    assert.equal(lstatSync(join(checkout.path, name)).mtimeMs, commitSeconds * 1000, name);
  assert.equal(readlinkSync(join(checkout.path, "etc")), "/etc");
});

test("X05 branches, tags, full names and commits are found; the key is the commit's", async () => {
  const refs = ["other", "refs/heads/other", "light", "v1", "refs/tags/v1", first];
  const checkouts = await Promise.all(refs.map((ref) => checkOut(plain.url, ref)));
  for (const checkout of checkouts) {
    assert.equal(checkout.commit, first);
    assert.equal(text(checkout, "file"), "one");
  }
  assert.equal(new Set(checkouts.map(({ key }) => key)).size, 1);
  assert.notEqual((await checkOut(plain.url)).key, checkouts[0]?.key);
  assert.equal((await failureOf(checkOut(plain.url, "nowhere"))).code, "GIT_REF_NOT_FOUND");
  assert.equal((await failureOf(checkOut(plain.url, "0".repeat(40)))).code, "GIT_REF_NOT_FOUND");
});

test("C15 a checksum is the beginning of the commit's hash, or of the tag's", async () => {
  const tag = plain.git("rev-parse", "v1");
  for (const [ref, checksum] of [
    ["other", first.slice(0, 8)],
    ["v1", first],
    ["v1", tag.slice(0, 12)],
    [first, first],
  ] as const) {
    assert.equal((await checkOut(plain.url, ref, { attrs: { "git.checksum": checksum } })).commit, first);
  }
  assert.equal((await failureOf(checkOut(plain.url, "main", { attrs: { "git.checksum": first } }))).code, "GIT_CHECKSUM");
  assert.equal((await failureOf(checkOut(plain.url, first, { attrs: { "git.checksum": second } }))).code, "GIT_CHECKSUM");
  assert.equal((await failureOf(checkOut(plain.url, "main", { attrs: { "git.checksum": "--exec" } }))).code, "GIT_REF_INVALID");
});

test("X06 fetch-by-commit takes the commit without asking for the ref", async () => {
  const checkout = await checkOut(plain.url, "gone", { attrs: { "git.checksum": first, "git.fetchbycommit": "true" } });
  assert.equal(text(checkout, "file"), "one");
  assert.equal(
    (await failureOf(checkOut(plain.url, "gone", { attrs: { "git.fetchbycommit": "true" } }))).code,
    "GIT_REF_INVALID",
  );
});

test("CVE-2026-33748 a subfolder is reached through real folders of the repository only", async () => {
  const checkout = await checkOut(plain.url, "main:sub");
  assert.deepEqual(readdirSync(checkout.path), ["deep"]);
  for (const subdir of ["link", "etc", "etc/ssl", "file", "missing", "sub/../link"]) {
    assert.equal((await failureOf(checkOut(plain.url, `main:${subdir}`))).code, "GIT_SUBDIR", subdir);
  }
  for (const subdir of ["..", "../x", "sub/../../x"])
    assert.equal((await failureOf(checkOut(plain.url, `main:${subdir}`))).code, "GIT_URL_INVALID", subdir);
});

test("CVE-2019-13139 GHSA-hw3h-2gp9-cxpv a ref is never an option, a pattern or an expression", async () => {
  const canary = join(folder, "canary");
  for (const ref of [
    "-x",
    "--upload-pack=touch",
    "--",
    "a..b",
    "main^{}",
    "main~1",
    "*",
    "@{u}",
    "a b",
    "main;x",
    "x.lock",
    "/a",
    "a/",
    "$(id)",
  ]) {
    assert.equal((await failureOf(checkOut(plain.url, ref))).code, "GIT_REF_INVALID", ref);
  }
  for (const url of [
    `--upload-pack=touch ${canary}`,
    "ssh://-oProxyCommand=x/y",
    `ext::sh -c touch% ${canary}`,
    `file://${plain.bare}`,
    plain.bare,
  ]) {
    const { code } = await failureOf(checkOut(url));
    assert.ok(code === "GIT_URL_INVALID" || code === "GIT_FAILED", `${url}: ${code}`);
  }
  assert.ok(!existsSync(canary));
});

test("C17 --keep-git-dir keeps a repository that works, under the ref's name, without credentials", async () => {
  const keep = { attrs: { "git.keepgitdir": "true" } };
  const url = plain.url.replace("://", "://user:canary-secret@");
  const checkout = await checkOut(url, "main", keep);
  const git = async (...args: string[]): Promise<string> => {
    const child = spawn("git", ["-C", checkout.path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    for await (const chunk of child.stdout) output += String(chunk);
    return output.trim();
  };
  assert.equal(await git("rev-parse", "HEAD"), second);
  assert.equal(await git("rev-parse", "refs/heads/main"), second);
  assert.equal(await git("status", "--porcelain"), "");
  assert.equal(await git("config", "remote.origin.url"), plain.url);
  for (const entry of readdirSync(checkout.path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) assert.ok(!readFileSync(join(entry.parentPath, entry.name)).includes("canary-secret"), entry.name);
  }
  const tag = await checkOut(plain.url, "v1", keep);
  assert.match(readFileSync(join(tag.path, ".git/HEAD"), "utf8"), new RegExp(first));
  assert.ok(existsSync(join(tag.path, ".git/refs/tags/v1")));
  const byHash = await checkOut(plain.url, first, keep);
  assert.match(readFileSync(join(byHash.path, ".git/HEAD"), "utf8"), new RegExp(first));
  assert.equal(new Set([checkout.key, tag.key, byHash.key, (await checkOut(plain.url, "v1")).key]).size, 4);
});

test("X07 a branch that moved, also to older or rewritten history, is followed", async () => {
  const moving = server.create("moving");
  for (const content of ["a", "b", "c"]) {
    if (content === "c") moving.git("checkout", "--quiet", "--orphan", "fresh");
    if (content === "c") moving.git("branch", "--quiet", "--delete", "--force", "main");
    if (content === "c") moving.git("branch", "--move", "main");
    writeFileSync(join(moving.work, "f"), content);
    moving.commit();
    assert.equal(text(await checkOut(moving.url), "f"), content);
  }
});

test("X07 a commit that no ref has is found where the server gives it, and one that only history has too", async () => {
  const old = server.create("old");
  writeFileSync(join(old.work, "f"), "before");
  const before = old.commit();
  writeFileSync(join(old.work, "f"), "after");
  old.commit();
  assert.equal(text(await checkOut(old.url, before), "f"), "before");
  assert.equal(text(await checkOut(old.url, before, { root: join(folder, "fresh") }), "f"), "before");
});

test("X07 repositories with SHA-256 work", async () => {
  const modern = server.create("modern", { sha256: true });
  writeFileSync(join(modern.work, "f"), "modern");
  const commit = modern.commit();
  assert.equal(commit.length, 64);
  assert.equal(text(await checkOut(modern.url), "f"), "modern");
  assert.equal(text(await checkOut(modern.url, commit, { attrs: { "git.keepgitdir": "true" } }), "f"), "modern");
});

test("X07 submodules come along, theirs too, unless they are not wanted", async () => {
  const inner = server.create("inner");
  writeFileSync(join(inner.work, "i"), "inner");
  inner.commit();
  const middle = server.create("middle");
  middle.git("submodule", "--quiet", "add", "--", inner.bare, "in");
  middle.git("config", "--file", ".gitmodules", "submodule.in.url", "../inner.git");
  middle.commit();
  const outer = server.create("outer");
  outer.git("submodule", "--quiet", "add", "--", middle.bare, "mid");
  outer.git("config", "--file", ".gitmodules", "submodule.mid.url", middle.url);
  outer.commit();
  const checkout = await checkOut(outer.url);
  assert.equal(text(checkout, "mid/in/i"), "inner");
  assert.ok(!existsSync(join(checkout.path, "mid/.git")) && !existsSync(join(checkout.path, "mid/in/.git")));
  assert.equal(lstatSync(join(checkout.path, "mid/in/i")).mtimeMs, commitSeconds * 1000);
  const without = await checkOut(outer.url, "", { attrs: { "git.skipsubmodules": "true" } });
  assert.deepEqual(readdirSync(join(without.path, "mid")), []);
  assert.notEqual(without.key, checkout.key);
  const kept = await checkOut(outer.url, "main", { attrs: { "git.keepgitdir": "true" } });
  assert.ok(text(kept, "mid/.git").startsWith("gitdir: ../.git/modules/"));
});

test("CVE-2022-39253 a submodule that is a path of this machine is refused", async () => {
  const hostile = server.create("hostile");
  hostile.git("submodule", "--quiet", "add", "--", plain.bare, "host");
  hostile.commit();
  const { code, message } = await failureOf(checkOut(hostile.url));
  assert.equal(code, "GIT_FAILED");
  assert.match(message, /transport 'file' not allowed/);
});

test("X07 CVE-2023-26054 secrets authorize, and show nowhere", async () => {
  const canary = "canary-4711";
  server.requiredAuthorization = `Basic ${Buffer.from(`x-access-token:${canary}`).toString("base64")}`;
  const attrs = { "git.authheadersecret": "GIT_AUTH_HEADER", "git.authtokensecret": "GIT_AUTH_TOKEN" };
  try {
    const denied = await failureOf(checkOut(plain.url, "main", { attrs }));
    assert.equal(denied.code, "GIT_FAILED");
    const wrong = await failureOf(checkOut(plain.url.replace("://", `://user:${canary}@`), "main"));
    assert.ok(!JSON.stringify(wrong).includes(canary) && !wrong.message.includes(canary));
    server.requiredAuthorization = server.requiredAuthorization.replace("Basic", "basic");
    const root = join(folder, "secret-store");
    const host = new URL(plain.url).host;
    const checkout = await checkOut(plain.url, "main", {
      root,
      attrs: { ...attrs, "git.keepgitdir": "true" },
      secrets: { [`GIT_AUTH_TOKEN.${host}`]: canary, GIT_AUTH_TOKEN: "wrong" },
    });
    const forms = [canary, Buffer.from(`x-access-token:${canary}`).toString("base64")];
    for (const place of [root, checkout.path]) {
      for (const entry of readdirSync(place, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const bytes = readFileSync(join(entry.parentPath, entry.name));
        for (const form of forms) assert.ok(!bytes.includes(form), entry.name);
      }
    }
    server.requiredAuthorization = "Custom thing";
    await checkOut(plain.url, "main", { attrs, secrets: { GIT_AUTH_HEADER: "Custom thing\n", GIT_AUTH_TOKEN: "wrong" } });
  } finally {
    server.requiredAuthorization = undefined;
  }
});

test("a server that hangs is left as soon as the build is canceled", async () => {
  server.isSilent = true;
  const controller = new AbortController();
  try {
    const work = checkOut(plain.url, "main", { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("stop")), 100);
    await assert.rejects(work, { message: "stop" });
  } finally {
    server.isSilent = false;
  }
});

test("a missing program and a server that is not there are told by name", async () => {
  assert.equal((await failureOf(checkOut(plain.url, "main", { path: join(folder, "empty") }))).code, "GIT_MISSING");
  const free = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => free.once("listening", resolve));
  const { port } = free.address() as { port: number };
  free.close();
  assert.equal((await failureOf(checkOut(`http://127.0.0.1:${port}/x.git`))).code, "GIT_FAILED");
  assert.equal((await failureOf(checkOut(`git://127.0.0.1:${port}/x.git`))).code, "GIT_FAILED");
});

test("L23 attributes are read, and unknown ones refused", () => {
  const request = readGitRequest("git://h.example/a/b.git#v1:sub", {
    "git.fullurl": "git@h.example:a/b.git",
    "git.mountsshsock": "default",
    "git.knownsshhosts": "h key",
  });
  assert.deepEqual(
    [request.remote, request.scheme, request.host, request.ref, request.subdir, request.sshAgent],
    ["git@h.example:a/b.git", "ssh", "h.example", "v1", "sub", "default"],
  );
  assert.equal(readGitRequest("git://h.example/a/b", {}).remote, "https://h.example/a/b");
  assert.throws(() => readGitRequest("git://h/x", { "git.nonsense": "1" }), { code: "SOURCE_ATTRIBUTE" });
  assert.throws(() => readGitRequest("git://h/x", { "git.mtime": "now" }), { code: "SOURCE_ATTRIBUTE" });
  assert.throws(() => readGitRequest("git://h/x", { "git.sig.pubkey": "k" }), { code: "OP_UNSUPPORTED" });
});
