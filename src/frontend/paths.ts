import { cleanPath } from "../tree/index.ts";

/*
 * Paths inside images: always with slashes, by the rules of Go's path package.
 */

/** Joins and cleans; empty parts do not count (Go's path.Join). */
export function joinPath(...parts: readonly string[]): string {
  const filled = parts.filter((part) => part !== "");
  return filled.length === 0 ? "" : cleanPath(filled.join("/"));
}

/** A path seen from a working directory: absolute and clean. */
export function resolvePath(directory: string, path: string): string {
  return path.startsWith("/") ? cleanPath(path) : joinPath("/", directory, path);
}

/** A destination of COPY: like {@link resolvePath}, but an ending `/` or `/.` stays, for it asks for a directory. */
export function resolveDestination(directory: string, path: string): string {
  const wanted = path === "" || path === "." ? "./" : path;
  const resolved = resolvePath(directory, wanted);
  if (wanted.endsWith("/")) return resolved.endsWith("/") ? resolved : `${resolved}/`;
  if (wanted.endsWith("/.")) return resolved === "/" ? "/." : `${resolved}/.`;
  return resolved;
}

/** True when Go's filepath.Match sees a pattern in it. */
export function hasWildcard(path: string): boolean {
  return /^(?:[^*?[\\]|\\[^])*[*?[]/.test(path);
}
