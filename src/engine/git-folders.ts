import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseGitReference } from "../dockerfile/index.ts";
import { VarveError } from "../errors/index.ts";
import { checkRef, isCommitHash, runGit } from "../sources/index.ts";
import { hasCode } from "../sys/index.ts";
import type { Settings } from "./open-varve.ts";
import type { GitFolders } from "./git-folder-types.ts";

/** The longest silence of a server, in milliseconds. */
const maxAnswerMs = 120_000;

/** Git repositories as folders of this machine, outside of builds. */
export function createGitFolders({ path, proxyEnv }: Pick<Settings, "path" | "proxyEnv">): GitFolders {
  const access = { path, proxyEnv, hidden: [] };
  return {
    async resolve(url, { signal = new AbortController().signal } = {}) {
      const reference = parseGitReference(url);
      if (reference === undefined) throw new VarveError("GIT_URL_INVALID", `${url} names no Git repository`);
      const { remote, subdir } = reference;
      const ref = reference.ref === "" ? "HEAD" : reference.ref;
      if (isCommitHash(ref)) return { remote, commit: ref, subdir };
      checkRef(ref);
      const args = ["ls-remote", "--end-of-options", remote, ref];
      const listing = await runGit(args, { access, signal, maxSilenceMs: maxAnswerMs });
      const commit = listing.slice(0, 40);
      if (!isCommitHash(commit)) throw new VarveError("GIT_REF_NOT_FOUND", `repository ${remote} does not contain ref ${ref}`);
      return { remote, commit, subdir };
    },
    async checkOut({ remote, commit }, folder, { signal = new AbortController().signal } = {}) {
      const aside = `${folder}.${process.pid}`;
      await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
      await rm(aside, { recursive: true, force: true });
      await mkdir(aside, { mode: 0o700 });
      const call = { access, signal, gitDir: join(aside, ".git"), workTree: aside };
      try {
        await runGit(["init", "--quiet"], call);
        await runGit(["fetch", "--quiet", "--depth=1", "--no-tags", "--end-of-options", remote, commit], {
          ...call,
          maxSilenceMs: maxAnswerMs,
        });
        await runGit(["checkout", "--quiet", "--detach", "FETCH_HEAD"], call);
        await rename(aside, folder);
      } catch (error) {
        await rm(aside, { recursive: true, force: true });
        // another process may have been first: under its commit it has the same
        if (!hasCode(error, "ENOTEMPTY", "EEXIST")) throw error;
      }
    },
  };
}
