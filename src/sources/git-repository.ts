import { closeSync, mkdirSync, openSync, rmSync, renameSync, existsSync } from "node:fs";
import { hash } from "node:crypto";
import { join } from "node:path";
import { isVarveError, VarveError } from "../errors/index.ts";
import { sleep, throwIfAborted } from "../flow/index.ts";
import { flock } from "../sys/index.ts";
import { runGit, type GitCall } from "./git-process.ts";
import type { GitObjectParams } from "./git-tasks.ts";

/** A bare repository that is kept between builds, and held against all others until it is disposed. */
export interface HeldRepository extends Disposable {
  readonly gitDir: string;
}

const lockPauseMs = 50;
/** The longest silence of a server that sends objects, in milliseconds. */
export const maxSilenceMs = 300_000;

/** Opens the repository kept for a remote, and waits while another build has it. Made where missing. */
export async function holdRepository(
  { repositories, shownRemote, object }: GitObjectParams,
  call: GitCall,
): Promise<HeldRepository> {
  mkdirSync(repositories, { recursive: true, mode: 0o700 });
  const format = object.length === 64 ? "sha256" : "sha1";
  const name = hash("sha256", JSON.stringify([shownRemote, format]));
  const lock = openSync(join(repositories, `${name}.lock`), "w", 0o600);
  try {
    while (!flock(lock, "exclusive", { block: false })) await sleep(lockPauseMs, { signal: call.signal });
    const gitDir = join(repositories, `${name}.git`);
    if (!existsSync(gitDir)) {
      const fresh = `${gitDir}.new`;
      rmSync(fresh, { recursive: true, force: true });
      await runGit(["init", "--quiet", "--bare", "--template=", `--object-format=${format}`, "--end-of-options", fresh], call);
      renameSync(fresh, gitDir);
    }
    // whoever held it before may have died with it
    for (const stale of ["shallow.lock", "packed-refs.lock", "config.lock"]) rmSync(join(gitDir, stale), { force: true });
    return { gitDir, [Symbol.dispose]: () => closeSync(lock) };
  } catch (error) {
    closeSync(lock);
    throw error;
  }
}

/** The ref under which an object is kept: named by its hash, it never moves. */
export function anchorOf(object: string): string {
  return `refs/varve/${object}`;
}

/**
 * Brings an object and the tree of its commit into the repository: by its hash alone, by the ref that stood for it, or
 * with all of the remote's history, whichever the server allows first.
 */
export async function fetchObject({ remote, object, ref, shownRemote }: GitObjectParams, call: GitCall): Promise<void> {
  const anchor = anchorOf(object);
  if (await hasCommit(object, call)) return;
  const fetch = ["fetch", "--quiet", "--progress", "--no-write-fetch-head", "--no-tags", "--force"];
  const shallow = ["--depth=1", "--end-of-options", remote];
  const all = existsSync(join(call.gitDir ?? "", "shallow")) ? ["--unshallow"] : [];
  const ways = [
    [...shallow, `${object}:${anchor}`],
    ...(ref === "" ? [] : [[...shallow, `${ref}:${anchor}`]]),
    [...all, "--end-of-options", remote, "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/remotes/tags/*"],
  ];
  let last: unknown;
  for (const way of ways) {
    try {
      await runGit([...fetch, ...way], { ...call, maxSilenceMs });
      if (await hasCommit(object, call)) {
        await runGit(["update-ref", "--no-deref", anchor, object], call);
        return;
      }
      await runGit(["update-ref", "-d", anchor], call);
    } catch (error) {
      throwIfAborted(call.signal);
      if (!isVarveError(error) || error.code !== "GIT_FAILED" || !mayGoOtherwise(error)) throw error;
      last = error;
    }
  }
  const message = `repository ${shownRemote} does not contain the commit ${object}`;
  throw new VarveError("GIT_REF_NOT_FOUND", message, last === undefined ? {} : { cause: last });
}

/** What servers and clients say when a way of fetching is not open to them. */
function mayGoOtherwise({ details }: VarveError): boolean {
  const { said } = details;
  return /not our ref|unadvertised object|does not allow request|shallow|--depth|dumb http|couldn't find remote ref|no such (?:remote )?ref|bad object|unable to update local ref/i.test(
    typeof said === "string" ? said : "",
  );
}

async function hasCommit(object: string, call: GitCall): Promise<boolean> {
  try {
    await runGit(["cat-file", "-e", `${object}^{commit}`], call);
    return true;
  } catch (error) {
    throwIfAborted(call.signal);
    if (isVarveError(error) && error.code === "GIT_FAILED") return false;
    throw error;
  }
}
