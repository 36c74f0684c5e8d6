import type { CheckResult } from "../../engine/index.ts";
import type { SourceRange } from "../../errors/index.ts";

/** Workflow commands that GitHub shows beside the lines: `::warning file=…,line=…,title=…::message`. */
export function formatGithub(results: readonly CheckResult[]): string {
  return results
    .flatMap(({ warnings, error, source: { file } }) => [
      ...warnings.map(({ rule, message, url, where }) =>
        command("warning", { file, where, title: rule, message: url === undefined ? message : `${message} (${url})` }),
      ),
      ...(error === undefined ? [] : [command("error", { file, where: error.where, title: error.code, message: error.message })]),
    ])
    .map((line) => `${line}\n`)
    .join("");
}

function command(
  kind: "warning" | "error",
  {
    file,
    where,
    title,
    message,
  }: { readonly file: string; readonly where: SourceRange | undefined; readonly title: string; readonly message: string },
): string {
  const place = where === undefined ? [] : [`line=${where.startLine}`, `endLine=${where.endLine}`];
  const fields = [`file=${escapeField(file)}`, ...place, `title=${escapeField(title)}`];
  return `::${kind} ${fields.join(",")}::${escapeText(message)}`;
}

function escapeText(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeField(text: string): string {
  return escapeText(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
