import { cleanSubdir, parseGitReference } from "../dockerfile/index.ts";
import { redactUrl, VarveError } from "../errors/index.ts";
import { invalidAttribute } from "./http-request.ts";

/** A tree of files in a Git repository. */
export interface GitRequest {
  /** What git is given; may hold credentials. */
  readonly remote: string;
  /** The same for people and for files: without credentials. */
  readonly shownRemote: string;
  readonly scheme: "http" | "https" | "git" | "ssh";
  /** With its port. */
  readonly host: string;
  /** Checked: no option, no pattern, no revision syntax. Empty for the default branch. */
  readonly ref: string;
  readonly subdir: string;
  /** Lower-case hex digits; empty for none. */
  readonly checksum: string;
  readonly keepGitDir: boolean;
  readonly submodules: boolean;
  readonly fetchByCommit: boolean;
  readonly authHeaderSecret: string | undefined;
  readonly authTokenSecret: string | undefined;
  readonly knownSshHosts: string | undefined;
  /** Id of the SSH agent. */
  readonly sshAgent: string | undefined;
}

const commitPattern = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** True for a whole commit hash, SHA-1 or SHA-256. */
export function isCommitHash(text: string): boolean {
  return commitPattern.test(text);
}

/** Reads a `git://` source with its attributes (L23). Unknown ones are SOURCE_ATTRIBUTE; odd refs are GIT_REF_INVALID. */
export function readGitRequest(identifier: string, attrs: Readonly<Record<string, string>>): GitRequest {
  const rest = identifier.replace(/^git:\/\//, "");
  const [place, fragment] = splitAt(rest, "#");
  const [ref, subdir] = splitAt(fragment, ":");
  const full = attrs["git.fullurl"] ?? place;
  const url = /^[a-zA-Z0-9]+:\/\/|^[a-zA-Z0-9_-]+@[a-zA-Z0-9.-]+:/.test(full) ? full : `https://${full}`;
  // which web addresses are repositories was decided before: here the path may end as it likes
  const { remote, scheme, host } = readRemote(url);
  for (const [key, value] of Object.entries(attrs)) {
    if (key.startsWith("git.sig.") || key === "git.bundle" || key === "git.checkoutbundle") {
      throw new VarveError("OP_UNSUPPORTED", `Git sources with ${key} are not supported yet`);
    }
    if (!known.has(key)) throw invalidAttribute(key, value);
  }
  const mtime = attrs["git.mtime"] ?? "checkout";
  if (mtime !== "checkout" && mtime !== "commit") throw invalidAttribute("git.mtime", mtime);
  const checksum = attrs["git.checksum"] ?? "";
  if (!/^[0-9a-fA-F]{0,64}$/.test(checksum)) {
    throw new VarveError("GIT_REF_INVALID", `invalid checksum ${checksum} for Git URL, expected hex commit hash`);
  }
  return {
    remote,
    shownRemote: withoutUserInfo(remote),
    scheme,
    host,
    ref: checkRef(ref),
    subdir: cleanSubdir(subdir),
    checksum: checksum.toLowerCase(),
    keepGitDir: attrs["git.keepgitdir"] === "true",
    submodules: attrs["git.skipsubmodules"] !== "true",
    fetchByCommit: attrs["git.fetchbycommit"] === "true",
    authHeaderSecret: attrs["git.authheadersecret"] || undefined,
    authTokenSecret: attrs["git.authtokensecret"] || undefined,
    knownSshHosts: attrs["git.knownsshhosts"] || undefined,
    sshAgent: attrs["git.mountsshsock"] || undefined,
  };
}

const known = new Set(
  "keepgitdir fullurl authheadersecret authtokensecret knownsshhosts mountsshsock checksum skipsubmodules mtime fetchbycommit"
    .split(" ")
    .map((key) => `git.${key}`),
);

/**
 * A ref that git can only take for a ref. Stricter than git-check-ref-format(1): it begins with a letter, a digit or an
 * underscore, so that it is no option (CVE-2019-13139), and holds no pattern and no revision syntax.
 */
export function checkRef(ref: string): string {
  const isPlain = /^(?:[\p{L}\p{N}_][\p{L}\p{N}\p{M}._/@+=,%#!&()'-]*)?$/u.test(ref);
  if (!isPlain || /\.\.|\/\/|\/\.|@\{|[/.]$|\.lock(?:\/|$)/.test(ref) || ref.length > 1024) {
    throw new VarveError("GIT_REF_INVALID", `invalid git ref ${JSON.stringify(ref)}`, {
      hint: "a branch, a tag, a full ref name or a whole commit hash",
    });
  }
  return ref;
}

function readRemote(url: string): Pick<GitRequest, "remote" | "scheme" | "host"> {
  const web = /^(https?):\/\/(?:[^/?#]*@)?([^/?#@]*)/i.exec(url);
  if (web !== null && !/[?#]/.test(url)) {
    const scheme = (web[1] ?? "").toLowerCase() === "http" ? "http" : "https";
    return { remote: url, scheme, host: checkHost(web[2] ?? "", url) };
  }
  const reference = parseGitReference(url);
  if (reference === undefined)
    throw new VarveError("GIT_URL_INVALID", `${JSON.stringify(withoutUserInfo(url))} is not a Git URL`);
  return { remote: reference.remote, scheme: reference.scheme, host: checkHost(reference.host, url) };
}

/** git and ssh look at such names themselves; this does not depend on their versions. */
function checkHost(host: string, url: string): string {
  if (host === "" || host.startsWith("-"))
    throw new VarveError("GIT_URL_INVALID", `${JSON.stringify(withoutUserInfo(url))} names no host`);
  return host;
}

function withoutUserInfo(url: string): string {
  return redactUrl(url).replace(/^([a-zA-Z0-9]+:\/\/)[^/]*@/, "$1");
}

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
