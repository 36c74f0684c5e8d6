import {
  isHttpUrl,
  lastPathPart,
  parseGitReference,
  type AddInstruction,
  type CopyInstruction,
  type GitReference,
} from "../dockerfile/index.ts";
import { isVarveError, type SourceRange } from "../errors/index.ts";
import { parseDigest } from "../oci/index.ts";
import { cleanPath } from "../tree/index.ts";
import { invalidValue } from "./compilation.ts";
import { named, noConstraints, type Node, type Output } from "./node.ts";

/** A source of ADD that is not in the context. */
export type RemoteSource =
  | { readonly kind: "git"; readonly reference: GitReference }
  | { readonly kind: "http"; readonly url: string };

/** What a source of ADD or COPY names beyond the build's own files; undefined for a path. */
export function findRemote(text: string, where: SourceRange): RemoteSource | undefined {
  const reference = placed(where, () => parseGitReference(text));
  if (reference !== undefined) return reference.looksLocal ? undefined : { kind: "git", reference };
  return isHttpUrl(text) ? { kind: "http", url: text } : undefined;
}

/** COPY takes nothing remote (C18); a checksum is for one remote source (C15). `checksum` is empty for none. */
export function checkRemotes(
  { kind, where }: AddInstruction | CopyInstruction,
  remotes: readonly (RemoteSource | undefined)[],
  checksum: string,
): void {
  if (kind === "copy") {
    const remote = remotes.find((source) => source !== undefined);
    if (remote === undefined) return;
    throw invalidValue(
      `source can't be a ${remote.kind === "git" ? "git ref" : "URL"} for COPY`,
      where,
      "ADD takes remote sources",
    );
  }
  if (checksum === "") return;
  if (remotes.length !== 1) throw invalidValue("checksum can't be specified for multiple sources", where);
  if (remotes[0] === undefined) throw invalidValue("checksum requires HTTP(S) or Git sources", where);
}

interface RemoteNode {
  /** The step's name, for progress. */
  readonly name: string;
  readonly lines: readonly number[];
}

/** The file behind a URL, with the path it has there (C14). */
export function httpFile(
  url: string,
  { checksum, where, ...node }: RemoteNode & { readonly checksum: string; readonly where: SourceRange },
): { readonly output: Output; readonly path: string } {
  const filename = lastPathPart(url) ?? "__unnamed__";
  const digest = checksum === "" ? {} : { "http.checksum": placed(where, () => parseDigest(checksum)) };
  const caps = ["source.http", ...(checksum === "" ? [] : ["source.http.checksum"])];
  return { output: httpSource(url, { attrs: { ...digest, "http.filename": filename }, caps, ...node }), path: `/${filename}` };
}

/** A URL as a source op. */
export function httpSource(
  url: string,
  node: RemoteNode & { readonly attrs: Readonly<Record<string, string>>; readonly caps: readonly string[] },
): Output {
  return sourceNode(url, node);
}

/** The tree of a repository for ADD: the flags of the instruction and the URL's own must agree (C17). */
export function addedRepository(
  reference: GitReference,
  { keepGitDir, where }: AddInstruction,
  { checksum, ...node }: RemoteNode & { readonly checksum: string },
): Output {
  if (keepGitDir !== undefined && reference.keepGitDir !== undefined && keepGitDir !== reference.keepGitDir) {
    throw invalidValue("inconsistent keep-git-dir configuration", where);
  }
  if (checksum !== "" && reference.checksum !== "" && checksum !== reference.checksum) {
    throw invalidValue(`checksum mismatch ${JSON.stringify(checksum)} != ${JSON.stringify(reference.checksum)}`, where);
  }
  const keeps = reference.keepGitDir ?? keepGitDir ?? false;
  return gitSource({ ...reference, keepGitDir: keeps, checksum: checksum || reference.checksum, mtime: undefined }, node);
}

/**
 * A repository as a source op. The identifier names host and path alone, so that it is the same whichever way git goes there.
 * The secrets and the agent that it may use have the names that BuildKit gives them (X07).
 */
export function gitSource(reference: GitReference, node: RemoteNode): Output {
  const { scheme, host, path, remote, ref, subdir, checksum, keepGitDir, submodules, mtime, fetchByCommit } = reference;
  const fragment = ref === "" && subdir === "" ? "" : `#${ref}${subdir === "" ? "" : `:${subdir}`}`;
  const options: [key: string, value: string, cap: string][] = [
    ...(keepGitDir === true ? [["git.keepgitdir", "true", "keepgitdir"] as [string, string, string]] : []),
    ["git.fullurl", remote, "fullurl"],
    ...(scheme === "ssh" ? [["git.mountsshsock", "default", "mountsshsock"] as [string, string, string]] : []),
    ...(checksum === "" ? [] : [["git.checksum", checksum, "checksum"] as [string, string, string]]),
    ...(submodules === false ? [["git.skipsubmodules", "true", "skipsubmodules"] as [string, string, string]] : []),
    ...(mtime === undefined ? [] : [["git.mtime", mtime, "mtime"] as [string, string, string]]),
    ...(fetchByCommit ? [["git.fetchbycommit", "true", "fetchbycommit"] as [string, string, string]] : []),
  ];
  const attrs = {
    ...Object.fromEntries(options.map(([key, value]) => [key, value])),
    "git.authtokensecret": "GIT_AUTH_TOKEN",
    "git.authheadersecret": "GIT_AUTH_HEADER",
  };
  const caps = ["source.git", ...options.map(([, , cap]) => `source.git.${cap}`)];
  return sourceNode(`git://${host}${cleanPath(`/${path}`)}${fragment}`, { attrs, caps, ...node });
}

function sourceNode(
  identifier: string,
  {
    attrs,
    caps,
    name,
    lines,
  }: RemoteNode & { readonly attrs: Readonly<Record<string, string>>; readonly caps: readonly string[] },
): Output {
  const node: Node = {
    inputs: [],
    compose: () => ({ inputs: [], constraints: noConstraints, kind: "source", source: { identifier, attrs } }),
    metadata: named(name, caps),
    lines,
  };
  return { node, index: 0 };
}

function placed<T>(where: SourceRange, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw isVarveError(error) ? error.at(where) : error;
  }
}
