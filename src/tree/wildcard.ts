import { compileGlob } from "./glob.ts";
import { cleanPath } from "./path-text.ts";

/** Go's `filepath.Match`: `*`, `?`, `[a-z]`, `[^a]`, `\` escapes; `*` and `?` match no slash. Malformed: TREE_PATTERN. */
export function matchWildcard(pattern: string, path: string): boolean {
  return compileGlob(pattern, "wildcard").matches(path);
}

/** Whether a source path of COPY is a pattern: it holds `*`, `?` or `[` without a `\` before. */
export function hasWildcard(path: string): boolean {
  return /^(?:[^\\*?[]|\\[^])*[*?[]/.test(path);
}

/** The components before the first with a wildcard (absolute), and the pattern from there on ("" when there is none). */
export function splitWildcard(path: string): { base: string; pattern: string } {
  const parts = cleanPath(`/${path}`).slice(1).split("/");
  const first = parts.findIndex(hasWildcard);
  if (first === -1) return { base: `/${parts.join("/")}`, pattern: "" };
  return { base: `/${parts.slice(0, first).join("/")}`, pattern: parts.slice(first).join("/") };
}
