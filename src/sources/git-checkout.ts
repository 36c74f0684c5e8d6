import { chmodSync, closeSync, lutimesSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync, constants } from "node:fs";
import { join } from "node:path";
import { isVarveError, VarveError } from "../errors/index.ts";
import { throwIfAborted } from "../flow/index.ts";
import { fdPath, hasCode, openFlags, openInRoot, openPath } from "../sys/index.ts";
import type { TaskContext } from "../worker/index.ts";
import { runGit, type GitCall } from "./git-process.ts";
import { anchorOf, fetchObject, holdRepository, maxSilenceMs } from "./git-repository.ts";
import type { GitCheckoutParams, GitObjectParams } from "./git-tasks.ts";

/**
 * Checks a commit out into `fs` of a snapshot, with its submodules. Modes are git's two, 644 and 755; every time is the
 * commit's (BuildKit keeps the clock's unless mtime=commit, and no clock gets into a result here).
 */
export async function runGitCheckoutTask(params: GitCheckoutParams, { signal }: TaskContext<never>): Promise<void> {
  const { access, snapshot, subdir } = params;
  const target = join(snapshot, "fs");
  const work = join(snapshot, "work");
  const tree = subdir === "" ? target : join(work, "tree");
  for (const folder of new Set([target, work, tree])) mkdirSync(folder, { recursive: true, mode: 0o755 });
  chmodSync(target, 0o755);
  const keepsGitDir = params.keepGitDir && subdir === "";
  const gitDir = keepsGitDir ? join(target, ".git") : join(work, "repository");
  const call: GitCall = { access, signal, gitDir, workTree: tree };
  const seconds = await checkOut(params, call, keepsGitDir);
  if (params.submodules) await updateSubmodules(call);
  if (subdir !== "") moveSubdir(tree, subdir, target);
  if (keepsGitDir) await forgetAccess(params, call);
  setTimes(target, seconds, { keepsGitDir, signal });
  rmSync(work, { recursive: true, force: true });
}

/** Returns the commit's time, in seconds since 1970. */
async function checkOut(params: GitCheckoutParams, call: GitCall, keepsGitDir: boolean): Promise<number> {
  const { access, signal } = call;
  const { object, shownRemote } = params;
  using repository = await holdRepository(params, { access, signal });
  const kept: GitCall = { access, signal, gitDir: repository.gitDir };
  await fetchObject(params, kept);
  const { commit, seconds } = await readCommit(object, kept);
  const gitDir = call.gitDir ?? "";
  const init = [
    "init",
    "--quiet",
    ...(keepsGitDir ? [] : ["--template="]),
    `--object-format=${object.length === 64 ? "sha256" : "sha1"}`,
  ];
  await runGit(init, call);
  await runGit(["config", "remote.origin.url", shownRemote], call);
  if (keepsGitDir) {
    await runGit(["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"], call);
    const isTag = (await runGit(["cat-file", "-t", object], kept)).trim() === "tag";
    await runGit(["update-ref", "--no-deref", anchorOf(object), object], kept);
    const local: GitCall = { ...call, isLocal: true, config: [["protocol.file.allow", "always"]] };
    const refspec = `${anchorOf(object)}${localName(params, isTag)}`;
    await runGit(
      [
        "fetch",
        "--quiet",
        "--no-write-fetch-head",
        "--no-tags",
        "-u",
        "--depth=1",
        "--end-of-options",
        `file://${repository.gitDir.replaceAll("%", "%25")}`,
        refspec,
      ],
      local,
    );
  } else {
    mkdirSync(join(gitDir, "objects", "info"), { recursive: true });
    writeFileSync(join(gitDir, "objects", "info", "alternates"), `${join(repository.gitDir, "objects")}\n`);
  }
  await runGit(["update-ref", "--no-deref", "HEAD", commit], { ...call, config: [["core.logAllRefUpdates", "false"]] });
  await runGit(["read-tree", "--reset", "-u", commit], call);
  return seconds;
}

/** The time of a commit, in seconds since 1970; it is fetched where it is missing. */
export async function runGitDateTask(params: GitObjectParams, { signal }: TaskContext<never>): Promise<number> {
  const { access, object } = params;
  using repository = await holdRepository(params, { access, signal });
  const kept: GitCall = { access, signal, gitDir: repository.gitDir };
  await fetchObject(params, kept);
  return (await readCommit(object, kept)).seconds;
}

/** The commit that an object is or names, and when it was committed. */
async function readCommit(object: string, kept: GitCall): Promise<{ readonly commit: string; readonly seconds: number }> {
  const commit = (await runGit(["rev-parse", "--verify", "--end-of-options", `${object}^{commit}`], kept)).trim();
  const seconds = Number((await runGit(["show", "--no-patch", "--format=%ct", "--end-of-options", commit], kept)).trim());
  return { commit, seconds: Number.isSafeInteger(seconds) ? seconds : 0 };
}

/** Under which ref a kept `.git` has the commit: `:NAME`, or nothing for a commit that was asked for by its hash. */
function localName({ writtenRef, ref }: GitCheckoutParams, isTag: boolean): string {
  const name = writtenRef === "" ? ref : writtenRef;
  if (ref === "" || name === "") return "";
  if (isTag) return `:${name.startsWith("refs/tags/") ? name : `refs/tags/${name}`}`;
  return `:${name.startsWith("refs/") ? name : `refs/heads/${name}`}`;
}

/** Every submodule, and theirs. Some servers give no single commit: then with history. */
async function updateSubmodules(call: GitCall): Promise<void> {
  const update = ["submodule", "update", "--init", "--recursive", "--progress"];
  const timed = { ...call, maxSilenceMs };
  try {
    await runGit([...update, "--depth=1"], timed);
  } catch (error) {
    throwIfAborted(call.signal);
    if (
      !isVarveError(error) ||
      error.code !== "GIT_FAILED" ||
      !/--depth|shallow|not our ref|unadvertised|dumb http/i.test(String(error.details["said"]))
    )
      throw error;
    await runGit(update, timed);
  }
}

/** Makes a folder of the checkout the whole of it. Only real folders lead there: links could lead anywhere (CVE-2026-33748). */
function moveSubdir(tree: string, subdir: string, target: string): void {
  const root = openPath(tree);
  let folder: number | undefined;
  try {
    folder = openInRoot(root, subdir, { flags: openFlags.path | constants.O_DIRECTORY, noSymlinks: true, followLast: false });
    for (const name of readdirSync(`${fdPath(folder)}/.`, { encoding: "buffer" })) {
      renameSync(Buffer.concat([Buffer.from(`${fdPath(folder)}/`), name]), Buffer.concat([Buffer.from(`${target}/`), name]));
    }
  } catch (error) {
    const missing = hasCode(error, "ENOENT");
    if (!missing && !hasCode(error, "ELOOP", "ENOTDIR")) throw error;
    const why = missing ? "is not in the repository" : "leads through something that is no folder";
    throw new VarveError("GIT_SUBDIR", `the subfolder ${JSON.stringify(subdir)} ${why}`, { cause: error });
  } finally {
    if (folder !== undefined) closeSync(folder);
    closeSync(root);
  }
}

/** What a kept `.git` says of the way it came here. */
async function forgetAccess({ shownRemote }: GitCheckoutParams, call: GitCall): Promise<void> {
  await runGit(["config", "remote.origin.url", shownRemote], call);
  rmSync(join(call.gitDir ?? "", "FETCH_HEAD"), { force: true });
}

/**
 * Gives everything the commit's time. Where no `.git` is kept, the files of that name that submodules get go: they point to a
 * folder that is gone, and no repository can bring files of that name itself.
 */
function setTimes(path: string, seconds: number, options: { readonly keepsGitDir: boolean; readonly signal: AbortSignal }): void {
  const root = Buffer.from(path);
  const pending: Buffer[] = [root];
  const folders: Buffer[] = [];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    throwIfAborted(options.signal);
    folders.push(folder);
    for (const entry of readdirSync(folder, { encoding: "buffer", withFileTypes: true })) {
      const child = Buffer.concat([folder, Buffer.from("/"), entry.name]);
      if (!options.keepsGitDir && entry.name.toString("latin1") === ".git") rmSync(child, { recursive: true });
      else if (entry.isDirectory()) pending.push(child);
      else lutimesSync(child, seconds, seconds);
    }
  }
  for (const folder of folders.reverse()) lutimesSync(folder, seconds, seconds);
}
