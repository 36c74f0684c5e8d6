import { VarveError } from "../errors/index.ts";

/** A repository, and what of it is meant. */
export interface GitReference {
  /** What git is given: the URL without query and fragment; user names and passwords stay in it. */
  readonly remote: string;
  readonly scheme: "http" | "https" | "git" | "ssh";
  /** Host with its port, if any. */
  readonly host: string;
  /** Path on the host, as written. */
  readonly path: string;
  /** Branch, tag, full ref name or commit; empty for the remote's default branch. */
  readonly ref: string;
  /** A clean path without a slash at either end; empty for the whole repository. */
  readonly subdir: string;
  /** The commit that the ref must stand for, or the beginning of its hash; empty for any. */
  readonly checksum: string;
  readonly keepGitDir: boolean | undefined;
  readonly submodules: boolean | undefined;
  readonly mtime: "checkout" | "commit" | undefined;
  /** The checksum is trusted to be the commit; what the ref stands for is not asked. */
  readonly fetchByCommit: boolean;
  /** Written like a path (`github.com/org/repo`): only meant as a build context. */
  readonly looksLocal: boolean;
}

interface UrlParts {
  readonly scheme: GitReference["scheme"];
  readonly host: string;
  readonly path: string;
  readonly remote: string;
  readonly query: string;
  readonly fragment: string;
}

type Draft = { -readonly [K in keyof GitReference]: GitReference[K] };

/**
 * Reads the forms in which a Git repository may be named (X04 to X06): `git://`, `ssh://`, `user@host:path`, `http(s)://`
 * when the path ends in `.git`, and `github.com/…`. Undefined for a text that names none. A query with unknown or
 * conflicting keys is GIT_URL_INVALID. (BuildKit, frontend/dockerfile/dfgitutil)
 */
export function parseGitReference(text: string): GitReference | undefined {
  const parts = splitUrl(text);
  if (parts === undefined) return undefined;
  const { query, fragment, ...place } = parts;
  const draft: Draft = {
    ...place,
    ref: "",
    subdir: "",
    checksum: "",
    keepGitDir: undefined,
    submodules: undefined,
    mtime: undefined,
    fetchByCommit: false,
    looksLocal: text.startsWith("github.com/"),
  };
  const [ref = "", ...rest] = fragment.split(":");
  draft.ref = ref;
  draft.subdir = cleanSubdir(rest.join(":"));
  readQuery(new URLSearchParams(query), draft);
  return draft;
}

/** True for a URL that is fetched as a file: `http(s)://` of anything but a Git repository. */
export function isHttpUrl(text: string): boolean {
  return /^https?:\/\//.test(text) && splitUrl(text) === undefined;
}

/** The last part of a URL's path, decoded; undefined where there is none. */
export function lastPathPart(url: string): string | undefined {
  const path = decode(/^[a-zA-Z0-9]+:\/\/[^/?#]*([^?#]*)/.exec(url)?.[1] ?? "") ?? "";
  const last = path.split("/").findLast((part) => part !== "");
  return last === undefined || last === "." || last === ".." ? undefined : last;
}

/**
 * A folder inside a repository without `.`, `..` and doubled slashes. One that climbs out of the repository is
 * GIT_URL_INVALID: BuildKit takes it for a path below the root, which nobody can have meant.
 */
export function cleanSubdir(text: string): string {
  const parts: string[] = [];
  for (const part of text.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) throw invalid(`the subfolder ${JSON.stringify(text)} leads out of the repository`);
    } else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

function splitUrl(text: string): UrlParts | undefined {
  if (text.startsWith("./") || text.startsWith("../")) return undefined;
  // oxlint-disable-next-line no-control-regex -- Go's net/url refuses them too
  if (/[\u0000-\u001f\u007f]/.test(text)) return undefined;
  if (text.startsWith("github.com/")) return splitStandard(`https://${text}`);
  if (/^[a-zA-Z0-9]+:\/\//.test(text)) {
    const parts = splitStandard(text);
    if (
      parts === undefined ||
      ((parts.scheme === "http" || parts.scheme === "https") && !(decode(parts.path) ?? "").endsWith(".git"))
    ) {
      return undefined;
    }
    return parts;
  }
  return splitScp(text);
}

function splitStandard(text: string): UrlParts | undefined {
  const match = /^([a-zA-Z0-9]+):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(text);
  if (match === null) return undefined;
  const [, written = "", authority = "", path = "", query = "", fragment = ""] = match;
  const scheme = written.toLowerCase();
  if (scheme !== "http" && scheme !== "https" && scheme !== "git" && scheme !== "ssh") return undefined;
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  const decoded = decode(fragment);
  if (
    decoded === undefined ||
    decode(path) === undefined ||
    !/^(?:\[[0-9A-Fa-f:.%]+\]|[^\s:[\]"<>\\^`{|}]*)(?::\d*)?$/.test(host)
  )
    return undefined;
  return { scheme, host, path, remote: `${scheme}://${authority}${path}`, query, fragment: decoded };
}

/** `user@host:path`, as scp(1) writes it; its query and fragment are taken as they are. */
function splitScp(text: string): UrlParts | undefined {
  const match = /^([a-zA-Z0-9_-]+)@([a-zA-Z0-9.-]+):(.*?)(?:\?(.*?))?(?:#(.*))?$/.exec(text);
  if (match === null) return undefined;
  const [, user = "", host = "", path = "", query = "", fragment = ""] = match;
  return { scheme: "ssh", host, path, remote: `${user}@${host}:${path}`, query, fragment };
}

function readQuery(query: URLSearchParams, draft: Draft): void {
  let tag = "";
  let branch = "";
  for (const key of new Set(query.keys())) {
    const [value = "", ...more] = query.getAll(key);
    if (more.length > 0) throw invalid(`query ${JSON.stringify(key)} has multiple values`);
    const isSwitch = key === "submodules" || key === "keep-git-dir" || key === "fetch-by-commit";
    if (value === "" && !isSwitch) throw invalid(`query ${JSON.stringify(key)} has no value`);
    switch (key) {
      case "ref":
        draft.ref = agree("ref", draft.ref, value);
        break;
      case "tag":
        tag = qualified(value, "refs/tags/");
        break;
      case "branch":
        branch = qualified(value, "refs/heads/");
        break;
      case "subdir":
        draft.subdir = agree("subdir", draft.subdir, cleanSubdir(value));
        break;
      case "checksum":
      case "commit":
        draft.checksum = agree("checksum", draft.checksum, value);
        break;
      case "keep-git-dir":
        draft.keepGitDir = readSwitch(key, value);
        break;
      case "submodules":
        draft.submodules = readSwitch(key, value);
        break;
      case "fetch-by-commit":
        draft.fetchByCommit = readSwitch(key, value);
        break;
      case "mtime":
        if (value !== "checkout" && value !== "commit")
          throw invalid(`invalid mtime value: ${JSON.stringify(value)} (must be "checkout" or "commit")`);
        draft.mtime = value;
        break;
      default:
        throw invalid(`unexpected query ${JSON.stringify(key)}`);
    }
  }
  if (tag !== "" && branch !== "") throw invalid("branch conflicts with tag");
  if (tag !== "") draft.ref = agree("ref", draft.ref, tag);
  if (branch !== "") draft.ref = agree("ref", draft.ref, branch);
}

function agree(what: string, before: string, value: string): string {
  if (before !== "" && before !== value)
    throw invalid(`${what} conflicts: ${JSON.stringify(before)} vs ${JSON.stringify(value)}`);
  return value;
}

function qualified(name: string, prefix: string): string {
  return name.startsWith(prefix) ? name : prefix + name;
}

/** A key without a value means true; values as Go's strconv.ParseBool takes them. */
function readSwitch(key: string, value: string): boolean {
  if (value === "" || /^(?:1|t|T|true|TRUE|True)$/.test(value)) return true;
  if (/^(?:0|f|F|false|FALSE|False)$/.test(value)) return false;
  throw invalid(`invalid ${key} value: ${JSON.stringify(value)}`);
}

function invalid(message: string): VarveError {
  return new VarveError("GIT_URL_INVALID", message, {
    hint: "the form is URL#REF:SUBDIR, or URL?KEY=VALUE&… with ref, tag, branch, subdir, checksum, keep-git-dir, submodules, mtime, fetch-by-commit",
  });
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
