import type { CheckResult } from "../../engine/index.ts";
import { checkJson } from "../build/call-json.ts";
import { countText, warningsText } from "../build/call-text.ts";
import { formatExcerpt } from "../print-error.ts";
import { formatGithub } from "./github.ts";
import { formatSarif } from "./sarif.ts";

export const lintFormats = ["text", "json", "sarif", "github"] as const;

export type LintFormat = (typeof lintFormats)[number];

/** What was found in some files: for people, for programs, for code scanning, for GitHub's annotations. */
export function formatLint(results: readonly CheckResult[], format: LintFormat): string {
  switch (format) {
    case "text":
      return textOf(results);
    case "json":
      return `${JSON.stringify(
        results.map((result) => JSON.parse(checkJson(result)) as unknown),
        undefined,
        2,
      )}\n`;
    case "sarif":
      return formatSarif(results);
    case "github":
      return formatGithub(results);
  }
}

/** As `--check` shows it, the files one after the other. */
function textOf(results: readonly CheckResult[]): string {
  const count = results.reduce((sum, { warnings }) => sum + warnings.length, 0);
  const failed = results.some(({ error }) => error !== undefined);
  if (count === 0 && !failed) return "Check complete, no warnings found.\n";
  return (
    (count === 0 ? "" : countText(count)) +
    results.map((result) => warningsText(result.warnings, result.source) + failureText(result)).join("")
  );
}

function failureText({ error, source: { file } }: CheckResult): string {
  if (error === undefined) return "";
  const excerpt = error.where === undefined ? [] : formatExcerpt({ ...error.where, file });
  return `\n${[`ERROR: ${error.message} [${error.code}]`, ...excerpt].join("\n")}\n`;
}
