import { lastPathPart } from "../dockerfile/index.ts";
import { VarveError } from "../errors/index.ts";
import { parseDigest, type Digest } from "../oci/index.ts";

/** A file behind a URL, and what it becomes. */
export interface HttpFileRequest {
  readonly url: string;
  /** What the content must hash to. */
  readonly checksum: Digest | undefined;
  /** The name that the file gets; without it the answer and the URL are asked. */
  readonly filename: string | undefined;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** The secret that is the whole `Authorization` header. */
  readonly authHeaderSecret: string | undefined;
  /** Headers that the graph asks for (`accept`, `user-agent`), by name in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const defaultMode = 0o600;

/** Reads an `http(s)://` source with its attributes (L24). Unknown ones are SOURCE_ATTRIBUTE. */
export function readHttpRequest(identifier: string, attrs: Readonly<Record<string, string>>): HttpFileRequest {
  const number = (key: string, fallback: number): number => {
    const text = attrs[key];
    if (text === undefined) return fallback;
    const value = /^0[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number(text);
    if (!/^\w+$/.test(text) || !Number.isSafeInteger(value) || value < 0) throw invalidAttribute(key, text);
    return value;
  };
  const headers: (readonly [string, string])[] = [];
  for (const [key, value] of Object.entries(attrs)) {
    const header = key.startsWith("http.header.") ? key.slice("http.header.".length).toLowerCase() : undefined;
    if (header === "accept" || header === "user-agent") headers.push([header, value]);
    else if (key === "http.sig.pubkey" || key === "http.sig.signature")
      throw new VarveError("OP_UNSUPPORTED", "signatures of URLs are not supported yet");
    else if (!known.has(key)) throw invalidAttribute(key, value);
  }
  const checksum = attrs["http.checksum"];
  return {
    url: identifier,
    checksum: checksum === undefined ? undefined : readChecksum(checksum),
    filename: attrs["http.filename"] || undefined,
    mode: number("http.perm", defaultMode) || defaultMode,
    uid: number("http.uid", 0),
    gid: number("http.gid", 0),
    authHeaderSecret: attrs["http.authheadersecret"] || undefined,
    headers: headers.toSorted(([a], [b]) => (a < b ? -1 : 1)),
  };
}

const known = new Set(["http.checksum", "http.filename", "http.perm", "http.uid", "http.gid", "http.authheadersecret"]);

export function invalidAttribute(key: string, value: string): VarveError {
  return new VarveError("SOURCE_ATTRIBUTE", `the source's attribute ${key}=${JSON.stringify(value)} is not understood`);
}

/** BuildKit hashes what it fetches with SHA-256 alone, so no other checksum can be met there either. */
function readChecksum(text: string): Digest {
  const digest = parseDigest(text);
  if (!digest.startsWith("sha256:")) {
    throw new VarveError("SOURCE_ATTRIBUTE", `the checksum ${text} of a URL is no SHA-256`, { hint: "write it as sha256:…" });
  }
  return digest;
}

/**
 * The name of the file (C14): what was asked for, what the answer's `Content-Disposition` (RFC 6266) says, the last part of the
 * URL's path, or `download`. Always one name, never a path.
 */
export function fileNameOf(
  { url, filename }: Pick<HttpFileRequest, "url" | "filename">,
  disposition: string | undefined,
): string {
  if (filename !== undefined) return safeName(filename);
  const told = disposition === undefined ? undefined : dispositionName(disposition);
  return safeName(told ?? lastPathPart(url) ?? "");
}

function dispositionName(header: string): string | undefined {
  const extended = /;\s*filename\*\s*=\s*(?:utf-8|us-ascii)'[^']*'([^;\s]+)/i.exec(header)?.[1];
  const plain = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))/i.exec(header);
  const name = (extended === undefined ? undefined : unescape(extended)) ?? plain?.[1]?.replace(/\\(.)/g, "$1") ?? plain?.[2];
  return name === undefined || name === "" || name.endsWith("/") ? undefined : name;
}

function unescape(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function safeName(text: string): string {
  const name =
    text
      .trim()
      .split("/")
      .findLast((part) => part !== "") ?? "";
  // oxlint-disable-next-line no-control-regex -- BuildKit's source/util/pathutil takes no control character either
  return name === "" || name === "." || name === ".." || /[\u0000-\u001f\u007f-\u009f]/.test(name) ? "download" : name;
}
