import type { ImageSummary } from "../../engine/index.ts";
import { VarveError } from "../../errors/index.ts";
import { cut } from "../flags.ts";
import { readImageFilters } from "../store-filters.ts";

/** What the `--filter` flags of `images` say; `before` and `since` name images. */
export interface ListFilters {
  readonly before: readonly string[];
  readonly since: readonly string[];
  /** Patterns; a name that fits one of them is shown. */
  readonly references: readonly string[];
  readonly accepts: (image: ImageSummary) => boolean;
}

/** Reads the filters of `docker images`: dangling, label, before, since, reference, until. Fails with FILTER_INVALID. */
export function readListFilters(texts: readonly string[], nowMs: number): ListFilters {
  const named = { before: [] as string[], since: [] as string[], references: [] as string[] };
  const others: string[] = [];
  for (const text of texts) {
    const [key, value] = cut(text, "=");
    const name = key.trim().toLowerCase();
    if (value !== undefined && (name === "before" || name === "since")) named[name].push(value);
    else if (value !== undefined && name === "reference") named.references.push(value);
    else if (name === "dangling" && !/^(?:1|t|true|0|f|false)$/i.test(value ?? ""))
      throw new VarveError("FILTER_INVALID", `invalid filter 'dangling=[${value ?? ""}]'`);
    else if (value !== undefined && name === "label!") throw new VarveError("FILTER_INVALID", "invalid filter 'label!'");
    else others.push(text);
  }
  const { labels, createdBeforeMs, dangling } = readImageFilters(others, nowMs);
  return {
    ...named,
    accepts: (image) =>
      (dangling === undefined || dangling === (image.names.length === 0)) &&
      (createdBeforeMs === undefined || image.createdMs < createdBeforeMs) &&
      labels.every(({ key, value }) => {
        const found = Object.hasOwn(image.labels, key) ? image.labels[key] : undefined;
        return value === undefined ? found !== undefined : found === value;
      }),
  };
}

/** Whether a familiar name, with its tag or without, fits a pattern: `*` and `?` stop at slashes. (Go's path.Match) */
export function matchesReference(pattern: string, name: string): boolean {
  const expression = compilePattern(pattern);
  const colon = name.lastIndexOf(":");
  return expression.test(name) || (colon > name.lastIndexOf("/") && expression.test(name.slice(0, colon)));
}

function compilePattern(pattern: string): RegExp {
  let source = "";
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index] ?? "";
    if (character === "*") source += "[^/]*";
    else if (character === "?") source += "[^/]";
    else if (character === "[") {
      const close = pattern.indexOf("]", index + 2);
      if (close < 0) throw badPattern(pattern);
      source += `[${pattern.slice(index + 1, close).replaceAll("\\", "\\\\")}]`;
      index = close;
    } else {
      if (character === "\\") index++;
      if (index >= pattern.length) throw badPattern(pattern);
      source += (pattern[index] ?? "").replace(/[$()*+./?[\\\]^{|}-]/, "\\$&");
    }
  }
  try {
    return new RegExp(`^${source}$`);
  } catch (cause) {
    throw badPattern(pattern, cause);
  }
}

function badPattern(pattern: string, cause?: unknown): VarveError {
  return new VarveError("FILTER_INVALID", `the reference filter ${JSON.stringify(pattern)} is not a pattern`, { cause });
}
