import { VarveError } from "../errors/index.ts";
import { isDigest } from "./digest.ts";
import type { Digest } from "./types.ts";

/** An image's name, complete: `docker.io` and `library/` are written out; neither tag nor digest is made up. */
export interface ImageReference {
  /** Host and optional port, e.g. `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly domain: string;
  /** Repository without the domain, e.g. `library/alpine`. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** The Docker Hub under the name that references carry; its registry answers elsewhere. */
const defaultDomain = "docker.io";
const legacyDefaultDomain = "index.docker.io";
const officialPrefix = "library/";
const maxPathLength = 255;
const maxReferenceLength = 4096;

// The grammar of distribution/reference, piece by piece.
const domainComponent = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const domainPattern = new RegExp(`^(?:${domainComponent}(?:\\.${domainComponent})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const pathComponent = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const pathPattern = new RegExp(`^${pathComponent}(?:/${pathComponent})*$`);
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/**
 * Reads `[domain/]path[:tag][@digest]` by the grammar of distribution/reference, with Docker's rules for short names:
 * the first component is a domain when it holds a dot, a colon or an upper-case letter, or is `localhost`.
 * Anything else is `REFERENCE_INVALID`, with a hint where the fault is plain.
 */
export function parseReference(text: string): ImageReference {
  if (text === "") throw invalid(text, "the name is empty");
  if (text.length > maxReferenceLength) throw invalid(text, `it is longer than ${maxReferenceLength} characters`);
  if (/^[a-f0-9]{64}$/.test(text))
    throw invalid(text, "64 hex digits are an image ID, not a name", "write sha256: in front for a digest after a name");
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text);
  if (scheme) throw invalid(text, "it has a URL's scheme", `leave out "${scheme[0]}"`);
  if (/\s/.test(text)) throw invalid(text, "it holds white space", "put each name on its own, and check for a stray blank");

  const at = text.indexOf("@");
  const named = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) {
    throw invalid(text, `"${clip(digest)}" is not a digest`, "after @ stands sha256: and 64 lower-case hex digits");
  }
  const { domain, rest } = splitDomain(named);
  const colon = rest.indexOf(":");
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);

  if (!domainPattern.test(domain)) throw invalid(text, `"${clip(domain)}" is not a registry's host`);
  if (path !== path.toLowerCase()) {
    const written = text.includes(path) ? path : path.slice(officialPrefix.length);
    throw invalid(text, "a repository name must be lowercase", `write "${text.replace(written, written.toLowerCase())}"`);
  }
  if (!pathPattern.test(path)) throw invalid(text, pathFault(path));
  if (path.length > maxPathLength) throw invalid(text, `a repository name has at most ${maxPathLength} characters`);
  if (tag !== undefined && !tagPattern.test(tag)) {
    const fault = tag === "" ? "the tag is empty" : `"${clip(tag)}" is not a tag`;
    throw invalid(
      text,
      fault,
      "a tag has up to 128 letters, digits, dots, dashes and underscores, and starts with none of . and -",
    );
  }
  return {
    domain,
    path,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** True where {@link parseReference} would give a value. */
export function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch (error) {
    if (error instanceof VarveError) return false;
    throw error;
  }
}

/** `docker.io/library/alpine`: the name alone, complete. */
export function canonicalName(ref: ImageReference): string {
  return `${ref.domain}/${ref.path}`;
}

/** `alpine`: the name alone, as people write it. */
export function familiarName(ref: ImageReference): string {
  if (ref.domain !== defaultDomain) return canonicalName(ref);
  const short = ref.path.startsWith(officialPrefix) ? ref.path.slice(officialPrefix.length) : ref.path;
  return short.includes("/") ? ref.path : short;
}

/** The whole reference, complete: `docker.io/library/alpine:3.20@sha256:…`. Parses back to the same value. */
export function formatReference(ref: ImageReference): string {
  return canonicalName(ref) + suffix(ref);
}

/** The whole reference as people write it: `alpine:3.20`. Parses back to the same value. */
export function familiarReference(ref: ImageReference): string {
  return familiarName(ref) + suffix(ref);
}

/** The reference with the tag `latest` when it has neither tag nor digest. */
export function withDefaultTag(ref: ImageReference): ImageReference {
  return ref.tag === undefined && ref.digest === undefined ? { ...ref, tag: "latest" } : ref;
}

function splitDomain(name: string): { domain: string; rest: string } {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const isDomain = first === "localhost" || /[.:]/.test(first) || first !== first.toLowerCase();
  const domain = !isDomain || first === legacyDefaultDomain ? defaultDomain : first;
  const rest = isDomain ? name.slice(slash + 1) : name;
  return {
    domain,
    rest: domain === defaultDomain && !rest.includes("/") ? officialPrefix + rest : rest,
  };
}

function suffix(ref: ImageReference): string {
  return (ref.tag === undefined ? "" : `:${ref.tag}`) + (ref.digest === undefined ? "" : `@${ref.digest}`);
}

function pathFault(path: string): string {
  if (path === "" || path === officialPrefix) return "the name is empty";
  if (path.startsWith("/") || path.endsWith("/") || path.includes("//")) return "a part between slashes is empty";
  const odd = /[^a-z0-9._/-]/.exec(path);
  if (odd) return `a repository name cannot hold "${odd[0]}"`;
  return "each part of a repository name is lower-case letters and digits, with a dot, one or two underscores, or dashes between";
}

function invalid(text: string, why: string, hint?: string): VarveError {
  return new VarveError(
    "REFERENCE_INVALID",
    `invalid reference format: "${clip(text)}": ${why}`,
    hint === undefined ? {} : { hint },
  );
}

function clip(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
