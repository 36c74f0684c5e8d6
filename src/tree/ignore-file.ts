import { cleanPath } from "./path-text.ts";

/**
 * The patterns of a `.dockerignore`: a byte order mark is dropped, `#` in the first column is a comment, lines are
 * trimmed, blank ones skipped; paths are cleaned and lose a leading slash; `!` stays in front (moby/patternmatcher,
 * ignorefile).
 */
export function parseIgnoreFile(text: string): string[] {
  return parseIgnoreRules(text).map(({ pattern }) => pattern);
}

export interface IgnoreRule {
  readonly pattern: string;
  /** From 1. */
  readonly line: number;
}

/** {@link parseIgnoreFile} with the lines that the patterns stand on. */
export function parseIgnoreRules(text: string): IgnoreRule[] {
  return text
    .replace(/^\ufeff/, "")
    .split("\n")
    .flatMap((line, index) => {
      if (line.startsWith("#")) return [];
      const trimmed = line.trim();
      if (trimmed === "") return [];
      const negated = trimmed.startsWith("!");
      const pattern = negated ? trimmed.slice(1).trim() : trimmed;
      const cleaned = pattern === "" ? "" : cleanPath(pattern);
      const relative = cleaned.length > 1 && cleaned.startsWith("/") ? cleaned.slice(1) : cleaned;
      return [{ pattern: negated ? `!${relative}` : relative, line: index + 1 }];
    });
}
