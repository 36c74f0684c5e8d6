import { malformed } from "./failures.ts";

const prefix = ".wh.";
const reserved = ".wh..wh.";

/** The name whose presence in a folder says that nothing of the lower layers' folder shows through. */
export const opaqueName = ".wh..wh..opq";

/** What a name means in a layer. `reserved` names are old AUFS book-keeping, which no reader keeps. */
export type Whiteout = { readonly kind: "whiteout"; readonly name: string } | { readonly kind: "opaque" | "reserved" | "none" };

/**
 * Reads the last component of a layer entry's path (OCI image-spec, layer.md, "Whiteouts"), in any encoding that leaves
 * ASCII alone. A whiteout of nothing, of `.` or of `..` is `TAR_MALFORMED`: it would name the folder or its parent.
 */
export function parseWhiteout(name: string): Whiteout {
  if (!name.startsWith(prefix)) return { kind: "none" };
  if (name === opaqueName) return { kind: "opaque" };
  if (name.startsWith(reserved)) return { kind: "reserved" };
  const hidden = name.slice(prefix.length);
  if (hidden === "" || hidden === "." || hidden === "..") throw malformed(`"${name}" is no whiteout that may be`);
  return { kind: "whiteout", name: hidden };
}

/** The name of the mark that hides `name`. */
export function printWhiteout(name: string): string {
  return prefix + name;
}
