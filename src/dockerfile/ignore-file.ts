import { posix } from "node:path";
import { trimSpace } from "./white-space.ts";

/**
 * Reads an ignore file (G04) into its patterns, in order: byte order mark, comments (`#` in column one) and blank lines
 * left out, white space trimmed, paths cleaned, one leading `/` dropped; `!` stays in front of negated ones. Rules of
 * moby's `ignorefile` reader. Never throws; whether a pattern can be matched is the matcher's to say.
 */
export function parseIgnoreFile(text: string): string[] {
  const patterns: string[] = [];
  for (const line of text.replace(/^\ufeff/, "").split("\n")) {
    const pattern = trimSpace(line);
    if (line.startsWith("#") || pattern === "") continue;
    const negated = pattern.startsWith("!");
    const path = negated ? trimSpace(pattern.slice(1)) : pattern;
    patterns.push((negated ? "!" : "") + (path === "" ? "" : cleanPath(path)));
  }
  return patterns;
}

function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  const bare = clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
  return bare.length > 1 && bare.startsWith("/") ? bare.slice(1) : bare;
}
