import type { BuildOutline, BuildTargets, BuildWarning } from "../../engine/index.ts";
import { formatExcerpt } from "../print-error.ts";
import { subrequests } from "./call-json.ts";

/** `--call=check` (N36): each warning with its place, in the order of the lines. `file` is the Dockerfile as it is shown. */
export function checkText(warnings: readonly BuildWarning[], { file }: { readonly file: string }): string {
  return warnings.length === 0 ? "" : countText(warnings.length) + warningsText(warnings, { file });
}

/** The line above the warnings. */
export function countText(count: number): string {
  return `Check complete, ${count === 1 ? "1 warning has" : `${count} warnings have`} been found!\n`;
}

/** Warnings with their places, in the order of the lines. */
export function warningsText(warnings: readonly BuildWarning[], { file }: { readonly file: string }): string {
  const sorted = warnings.toSorted((left, right) => (left.where?.startLine ?? 0) - (right.where?.startLine ?? 0));
  return sorted.map((warning) => warningText(warning, file)).join("");
}

function warningText({ rule, url, message, where }: BuildWarning, file: string): string {
  const excerpt = where === undefined ? [] : formatExcerpt({ ...where, file });
  return `\n${[`WARNING: ${rule}${url === undefined ? "" : ` - ${url}`}`, message, ...excerpt].join("\n")}\n`;
}

/** `--call=outline`: the target, and tables of what it can be given. */
export function outlineText({ name, description, args, secrets, ssh }: BuildOutline): string {
  const target = [["TARGET:", name ?? "(default)"], ...(description === undefined ? [] : [["DESCRIPTION:", description]])];
  const needs = (list: typeof secrets): string[][] => list.map((need) => [need.name, need.required ? "true" : ""]);
  const parts = [
    ...(name === undefined && description === undefined ? [] : [align(target, 1)]),
    ...(args.length === 0
      ? []
      : [align([["BUILD ARG", "VALUE", "DESCRIPTION"], ...args.map((arg) => [arg.name, arg.value, arg.description ?? ""])], 3)]),
    ...(secrets.length === 0 ? [] : [align([["SECRET", "REQUIRED"], ...needs(secrets)], 3)]),
    ...(ssh.length === 0 ? [] : [align([["SSH", "REQUIRED"], ...needs(ssh)], 3)]),
  ];
  return parts.map((part) => `${part}\n`).join("");
}

/** `--call=targets`. */
export function targetsText({ targets }: BuildTargets): string {
  const rows = targets.map(({ name, isDefault, description }) => [
    [name, isDefault ? "(default)" : undefined].filter(Boolean).join(" "),
    description ?? "",
  ]);
  return align([["TARGET", "DESCRIPTION"], ...rows], 1);
}

/** `--call=subrequests.describe`. */
export function describeText(): string {
  const rows = subrequests.map(({ name, version, description }) => [name.replace(/^frontend\./, ""), version, description]);
  return align([["NAME", "VERSION", "DESCRIPTION"], ...rows], 1);
}

/** Columns `gap` blanks apart; the last one is not padded. Go's `text/tabwriter`. */
function align(rows: readonly (readonly string[])[], gap: number): string {
  const length = (text: string): number => Array.from(text).length;
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => length(row[column] ?? ""))) + gap);
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell + " ".repeat((widths[column] ?? 0) - length(cell))))
      .join("");
  return rows.map((row) => `${line(row)}\n`).join("");
}
