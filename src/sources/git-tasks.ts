import { task } from "../worker/index.ts";
import type { GitAccess } from "./git-process.ts";

/** A commit, and how to come by it. */
export interface GitObjectParams {
  readonly access: GitAccess;
  readonly remote: string;
  readonly shownRemote: string;
  /** Hash of the commit, or of the tag that names it. */
  readonly object: string;
  /** The full name that the remote has for it, where it has one. */
  readonly ref: string;
  /** Folder of the repositories that are kept between builds. */
  readonly repositories: string;
}

/** Checks a commit out into an active snapshot. */
export interface GitCheckoutParams extends GitObjectParams {
  /** What the user wrote: a kept `.git` has the commit under this name. */
  readonly writtenRef: string;
  readonly subdir: string;
  readonly keepGitDir: boolean;
  readonly submodules: boolean;
  /** Folder of the active snapshot. */
  readonly snapshot: string;
}

export const gitCheckoutTask = task<GitCheckoutParams, void>("sources.git-checkout");
/** Reads the time of a commit, in seconds since 1970. */
export const gitDateTask = task<GitObjectParams, number>("sources.git-date");
