import type { WarningEvent } from "../../events/index.ts";
import { formatExcerpt } from "../print-error.ts";
import { formatWarning } from "../progress/steps.ts";

/** The warnings of a build after its progress (U09), in buildx's layout. */
export function formatWarnings(
  warnings: readonly WarningEvent[],
  options: { readonly debug: boolean; readonly colors: boolean },
): string {
  if (warnings.length === 0) return "";
  const count = warnings.length === 1 ? "1 warning found" : `${warnings.length} warnings found`;
  const heading = `${count}${options.debug ? "" : " (use varve --debug to expand)"}:`;
  let text = `\n ${options.colors ? `\u001b[33m${heading}\u001b[0m` : heading}\n`;
  for (const warning of warnings) {
    text += ` - ${formatWarning(warning)}\n`;
    if (!options.debug) continue;
    if (warning.detail !== undefined) text += `${warning.detail}\n`;
    if (warning.url !== undefined) text += `More info: ${warning.url}\n`;
    if (warning.where !== undefined) text += `${formatExcerpt(warning.where).join("\n")}\n`;
    text += "\n";
  }
  return text;
}

/** The text of `--metadata-file` (B16): keys in order, indented by two. */
export function formatMetadata(metadata: Readonly<Record<string, unknown>>): string {
  const sorted = Object.fromEntries(Object.entries(metadata).toSorted(([left], [right]) => (left < right ? -1 : 1)));
  return JSON.stringify(sorted, undefined, 2);
}
