import type { FileChange, FilesChanged, RootCause, SettingChange, StepReason } from "../events/index.ts";
import { withoutControls } from "./plain-text.ts";

/** Texts of instructions are shown up to here in one line: 60 characters. */
const maxShownText = 60;
/** Files that one line names: 3. */
const maxShownFiles = 3;

/** One short line without a full stop that says why a step ran; without control characters. */
export function reasonLine(reason: StepReason): string {
  switch (reason.kind) {
    case "first-time":
      return "first time seen";
    case "new-instruction":
      return reason.moved ? "instruction moved" : "new instruction";
    case "instruction-changed": {
      const [old, now] = excerpts(oneLine(reason.old), oneLine(reason.new));
      return `instruction changed: ${old} → ${now}`;
    }
    case "instruction-removed":
      return `instruction removed before it: ${quote(reason.text)}`;
    case "input-replaced":
      return `made from ${quote(reason.new)} instead of ${quote(reason.old)}`;
    case "settings-changed":
      return reason.changes.map(settingLine).join("; ");
    case "files-changed":
      return filesLine(reason);
    case "base-moved":
      return `base image ${oneLine(reason.image)} moved: ${shortDigest(reason.old)} → ${shortDigest(reason.new)}`;
    case "source-moved":
      return `${oneLine(reason.source)} moved: ${shortDigest(reason.old)} → ${shortDigest(reason.new)}`;
    case "parent-ran":
      return `after ${stepName(reason.parent.name)}${rootsText(reason.roots, reason.parent.vertex)}`;
    case "cache-gone": {
      const time = reason.time === undefined ? "" : ` at ${new Date(reason.time).toISOString()}`;
      return `cache record gone${reason.why === undefined ? "" : `: ${oneLine(reason.why)}`}${time}`;
    }
    case "failed-before":
      return "did not succeed in the last build";
    case "no-cache":
      return reason.stage === undefined ? "--no-cache" : `--no-cache-filter=${oneLine(reason.stage)}`;
    case "unexplained":
      return "changed in something that is not recorded";
  }
}

/** What began at the parent itself is told without its name again. */
function rootsText(roots: readonly RootCause[], parent: string): string {
  const [root, ...more] = roots;
  if (root === undefined) return "";
  const name = root.vertex === parent ? "" : `${stepName(root.name)}: `;
  const rest = more.length === 0 ? "" : ` (and ${more.length} more)`;
  return `, since ${name}${reasonLine(root.reason)}${rest}`;
}

function settingLine({ setting, name, old, new: value }: SettingChange): string {
  const what = setting === name ? setting : `${setting} ${oneLine(name)}`;
  if (old === undefined) return `${what} added${value === undefined || value === "" ? "" : `: ${quote(value)}`}`;
  if (value === undefined) return `${what} removed`;
  return `${what} changed: ${quote(old)} → ${quote(value)}`;
}

function filesLine({ from, files, count, onlyModes, roots }: FilesChanged): string {
  const through = roots?.[0] === undefined ? "" : `, since ${stepName(roots[0].name)}: ${reasonLine(roots[0].reason)}`;
  const named = files.slice(0, maxShownFiles).map(fileText).join(", ");
  if (count === undefined) return `files of ${oneLine(from)} changed${named === "" ? "" : `: ${named}`}${through}`;
  const rest = count > maxShownFiles ? ` and ${count - maxShownFiles} more` : "";
  const plural = count === 1 ? "1 file" : `${count} files`;
  if (onlyModes) return `only mode bits changed (umask, checkout) of ${plural} of ${oneLine(from)}: ${named}${rest}${through}`;
  return `${plural} of ${oneLine(from)} changed: ${named}${rest}${through}`;
}

function fileText({ path, change, old, new: value }: FileChange): string {
  const name = oneLine(path.replace(/^\/(?=.)/, ""));
  return old === undefined || value === undefined ? `${name} (${change})` : `${name} (${change} ${old} → ${value})`;
}

/** The part of two texts where they differ, with some of what stands before. */
function excerpts(old: string, now: string): [string, string] {
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  const from = Math.max(old.length, now.length) <= maxShownText ? 0 : Math.max(0, start - 16);
  const cut = (text: string): string => `"${from > 0 ? "…" : ""}${shorten(text.slice(from))}"`;
  return [cut(old), cut(now)];
}

function shorten(text: string): string {
  return text.length > maxShownText ? `${text.slice(0, maxShownText - 1)}…` : text;
}

/** A step's name without the digest that its image is pinned by. */
function stepName(name: string): string {
  return shorten(oneLine(name).replace(/@sha256:[0-9a-f]{64}$/, ""));
}

function quote(text: string): string {
  return `"${shorten(oneLine(text))}"`;
}

function oneLine(text: string): string {
  return withoutControls(text).trim();
}

function shortDigest(digest: string): string {
  return digest.startsWith("sha256:") ? digest.slice(0, 19) : digest.slice(0, 12);
}
