import { hash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { VarveError } from "../errors/index.ts";
import type { Worker } from "../worker/index.ts";
import { runGit, type GitAccess } from "./git-process.ts";
import { checkRef, isCommitHash, type GitRequest } from "./git-request.ts";
import { gitCheckoutTask, gitDateTask } from "./git-tasks.ts";
import { readHeaderSecret, type ReadSecret } from "./secret.ts";

export interface GitSourceOptions {
  /** The store folder. */
  readonly root: string;
  readonly worker: Worker;
  /** Folders to look for git and ssh in: the PATH. */
  readonly path: string;
  readonly proxyEnv?: Readonly<Record<string, string>> | undefined;
}

/** What a ref stands for now. */
export interface ResolvedGit {
  /** Hash of the commit, or of the annotated tag. */
  readonly object: string;
  /** The commit that an annotated tag names. */
  readonly commit: string;
  /** Full name of the ref; empty for a commit. */
  readonly ref: string;
}

export interface GitUseOptions {
  readonly signal: AbortSignal;
  readonly secret?: ReadSecret | undefined;
  /** Path of the socket of an SSH agent, by its id; undefined for one that the build was not given. */
  readonly sshAgent?: ((id: string) => Promise<string | undefined>) | undefined;
}

/** Git repositories as sources of a build. */
export interface GitSource {
  /** Asks the remote what the ref stands for; nobody is asked about a whole commit hash. */
  resolve(request: GitRequest, options: GitUseOptions): Promise<ResolvedGit>;
  /** When the commit was made, in seconds since 1970. */
  dateOf(request: GitRequest, resolved: ResolvedGit, options: GitUseOptions): Promise<number>;
  /** Digest of all that shows in the result (L54). */
  keyOf(request: GitRequest, resolved: ResolvedGit): string;
  /** Has the worker fetch what is missing and check it out into the folder of an active snapshot. */
  checkout(request: GitRequest, resolved: ResolvedGit, options: GitUseOptions & { readonly snapshot: string }): Promise<void>;
}

/** The longest silence of a server that is asked for its refs, in milliseconds. */
const maxAnswerMs = 120_000;

export function createGitSource({ root, worker, path, proxyEnv = {} }: GitSourceOptions): GitSource {
  const repositories = join(root, "git");

  async function accessTo(request: GitRequest, { secret, sshAgent }: GitUseOptions): Promise<GitAccess> {
    const authorization = await readAuthorization(request, secret);
    const base = { path, proxyEnv, hidden: hiddenTexts(request, authorization) };
    const web =
      authorization === undefined ? base : { ...base, authorization: { scope: scopeOf(request.remote), value: authorization } };
    if (request.scheme !== "ssh") return web;
    mkdirSync(repositories, { recursive: true, mode: 0o700 });
    const agentSocket = request.sshAgent === undefined ? undefined : await sshAgent?.(request.sshAgent);
    const ssh = await knownHosts(request, repositories);
    return { ...web, ssh: agentSocket === undefined ? ssh : { ...ssh, agentSocket } };
  }

  return {
    async resolve(request, options) {
      const { ref, checksum, fetchByCommit } = request;
      if (isCommitHash(ref)) {
        requireChecksum(request, ref);
        return { object: ref, commit: ref, ref: "" };
      }
      if (fetchByCommit) {
        if (!isCommitHash(checksum))
          throw new VarveError("GIT_REF_INVALID", "fetch-by-commit requires a full commit hash as checksum or ref");
        return { object: checksum, commit: checksum, ref: ref === "" || ref.startsWith("refs/") ? ref : `refs/heads/${ref}` };
      }
      const access = await accessTo(request, options);
      const wanted = ref === "" ? ["HEAD"] : [ref, `${ref}^{}`];
      const args = ["ls-remote", "--symref", "--end-of-options", request.remote, ...wanted];
      const listing = parseListing(await runGit(args, { access, signal: options.signal, maxSilenceMs: maxAnswerMs }));
      const found = ref === "" ? findDefault(listing) : findRef(ref, listing);
      if (found === undefined || !isCommitHash(found.object)) {
        throw new VarveError(
          "GIT_REF_NOT_FOUND",
          `repository ${request.shownRemote} does not contain ref ${ref === "" ? "HEAD" : ref}`,
        );
      }
      requireChecksum(request, found.object, found.commit);
      return found;
    },
    async dateOf(request, { object, ref }, options) {
      const { remote, shownRemote } = request;
      const params = { access: await accessTo(request, options), remote, shownRemote, object, ref, repositories };
      return await worker.call(gitDateTask, params, { signal: options.signal });
    },
    keyOf({ subdir, keepGitDir, submodules, shownRemote }, { object, commit, ref }) {
      const kept = keepGitDir ? { object, ref, remote: shownRemote } : null;
      return hash("sha256", JSON.stringify(["git", commit, kept, subdir, submodules]));
    },
    async checkout(request, { object, ref }, { snapshot, ...options }) {
      const { remote, shownRemote, subdir, keepGitDir, submodules } = request;
      const access = await accessTo(request, options);
      const params = {
        access,
        remote,
        shownRemote,
        object,
        ref,
        writtenRef: request.ref,
        subdir,
        keepGitDir,
        submodules,
        repositories,
        snapshot,
      };
      await worker.call(gitCheckoutTask, params, { signal: options.signal });
    },
  };
}

interface Listing {
  /** Hash by full ref name; `NAME^{}` is what an annotated tag names. */
  readonly hashes: ReadonlyMap<string, string>;
  /** What HEAD points to. */
  readonly head: string | undefined;
}

function parseListing(text: string): Listing {
  const hashes = new Map<string, string>();
  let head: string | undefined;
  for (const line of text.split("\n")) {
    const [value = "", name = ""] = line.split("\t");
    if (name === "HEAD" && value.startsWith("ref: ")) head = value.slice(5);
    else if (name !== "") hashes.set(name, value);
  }
  return { hashes, head };
}

function findDefault({ hashes, head }: Listing): ResolvedGit | undefined {
  const object = hashes.get("HEAD");
  if (object === undefined) return undefined;
  return { object, commit: object, ref: head === undefined ? "" : checkRef(head) };
}

/** A full name first, then a branch, then a tag: git's own preference. */
function findRef(ref: string, { hashes }: Listing): ResolvedGit | undefined {
  const partial = ref.startsWith("refs/") ? ref : `refs/${ref}`;
  for (const name of [
    partial,
    ref.startsWith("refs/heads/") ? ref : `refs/heads/${ref}`,
    ref.startsWith("refs/tags/") ? ref : `refs/tags/${ref}`,
  ]) {
    const object = hashes.get(name);
    if (object !== undefined) return { object, commit: hashes.get(`${name}^{}`) ?? object, ref: name };
  }
  return undefined;
}

function requireChecksum({ checksum }: GitRequest, ...hashes: readonly string[]): void {
  if (hashes.some((value) => value.startsWith(checksum))) return;
  const found = [...new Set(hashes)].join(" or ");
  throw new VarveError("GIT_CHECKSUM", `expected checksum to match ${checksum}, got ${found}`, { details: { checksum, found } });
}

/** The first of the secrets that the build was given: by host, then for all hosts; a whole header before a token (X07). */
async function readAuthorization(request: GitRequest, secret: ReadSecret | undefined): Promise<string | undefined> {
  const { scheme, host, authHeaderSecret, authTokenSecret } = request;
  if (scheme !== "http" && scheme !== "https") return undefined;
  for (const suffix of [`.${host}`, ""]) {
    const header = authHeaderSecret === undefined ? undefined : await readHeaderSecret(secret, authHeaderSecret + suffix);
    if (header !== undefined) return header;
    const token = authTokenSecret === undefined ? undefined : await readHeaderSecret(secret, authTokenSecret + suffix);
    if (token !== undefined) return `basic ${Buffer.from(`x-access-token:${token}`, "latin1").toString("base64")}`;
  }
  return undefined;
}

/** A token is for its repository; on GitHub it is tried for all, as BuildKit does, because submodules need it. */
function scopeOf(remote: string): string {
  return /^https:\/\/(?:www\.)?github\.com\//.exec(remote)?.[0] ?? remote;
}

function hiddenTexts({ remote }: GitRequest, authorization: string | undefined): string[] {
  const userInfo = /^[a-zA-Z0-9]+:\/\/([^/]*)@/.exec(remote)?.[1];
  return [
    ...(userInfo === undefined ? [] : [userInfo, userInfo.slice(userInfo.indexOf(":") + 1)]),
    ...(authorization === undefined ? [] : [authorization]),
  ];
}

/** Given keys count alone. Without any, a host's first key is believed and remembered in the store. */
async function knownHosts({ knownSshHosts }: GitRequest, folder: string): Promise<NonNullable<GitAccess["ssh"]>> {
  if (knownSshHosts === undefined) return { knownHostsFile: join(folder, "known_hosts"), isStrict: false };
  const { writeFile } = await import("node:fs/promises");
  const file = join(folder, `known_hosts-${hash("sha256", knownSshHosts).slice(0, 16)}`);
  await writeFile(file, knownSshHosts.endsWith("\n") ? knownSshHosts : `${knownSshHosts}\n`, { mode: 0o600 });
  return { knownHostsFile: file, isStrict: true };
}
