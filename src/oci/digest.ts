import { hash } from "node:crypto";
import { VarveError } from "../errors/index.ts";
import type { Digest } from "./types.ts";

/** Hex digits by algorithm: those that go-digest registers. (OCI image-spec, descriptor.md, "Registered Algorithms") */
const hexLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** True for `sha256:` and 64 lower-case hex digits, and likewise for sha384 and sha512. */
export function isDigest(text: unknown): text is Digest {
  if (typeof text !== "string") return false;
  const colon = text.indexOf(":");
  if (colon < 0) return false;
  const algorithm = text.slice(0, colon);
  const length = Object.hasOwn(hexLengths, algorithm) ? hexLengths[algorithm] : undefined;
  return length === text.length - colon - 1 && /^[0-9a-f]+$/.test(text.slice(colon + 1));
}

/** The digest that a text spells. Anything else is `DIGEST_INVALID`; upper-case hex too, since it would be a second name. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const shown = text.length > 160 ? `${text.slice(0, 160)}…` : text;
  throw new VarveError("DIGEST_INVALID", `"${shown}" is not a digest`, {
    hint: isDigest(text.toLowerCase()) ? "write it in lower case" : "a digest is sha256: and 64 lower-case hex digits",
  });
}

/** SHA-256 of bytes, or of a text's UTF-8. */
export function sha256(bytes: Uint8Array | string): Digest {
  return `sha256:${hash("sha256", bytes, "hex")}` as Digest;
}

/** The SHA-256 digest with these 64 hex digits, for whoever hashed a stream. */
export function digestOfHex(hex: string): Digest {
  return parseDigest(`sha256:${hex}`);
}

/** `sha256` of `sha256:abc…`. */
export function digestAlgorithm(digest: Digest): string {
  return digest.slice(0, digest.indexOf(":"));
}

/** `abc…` of `sha256:abc…`. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}
