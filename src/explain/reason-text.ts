import type { FileChange, FilesChanged, StepReason } from "../events/index.ts";
import { withoutControls } from "./plain-text.ts";
import { reasonLine } from "./reason-line.ts";

/** Everything that a reason tells, as lines without control characters: the short one, and what it leaves out. */
export function reasonText(reason: StepReason): readonly string[] {
  return linesOf(reason).map(withoutControls);
}

function linesOf(reason: StepReason): readonly string[] {
  switch (reason.kind) {
    case "instruction-changed":
      return ["instruction changed:", ...marked("-", reason.old), ...marked("+", reason.new)];
    case "settings-changed":
      return reason.changes.flatMap((change) => reasonLine({ kind: "settings-changed", changes: [change] }));
    case "files-changed":
      return [
        headOf(reason),
        ...filesOf(reason),
        ...(reason.roots ?? []).map((root) => `since ${root.name}: ${reasonLine(root.reason)}`),
      ];
    case "base-moved":
      return [`base image ${reason.image} moved:`, `- ${reason.old}`, `+ ${reason.new}`];
    case "source-moved":
      return [`${reason.source} moved:`, `- ${reason.old}`, `+ ${reason.new}`];
    case "parent-ran":
      return [`after ${reason.parent.name}`, ...reason.roots.map((root) => `since ${root.name}: ${reasonLine(root.reason)}`)];
    case "cache-gone":
    case "failed-before":
    case "first-time":
    case "input-replaced":
    case "instruction-removed":
    case "new-instruction":
    case "no-cache":
    case "unexplained":
      return [reasonLine(reason)];
  }
}

function marked(mark: string, text: string): string[] {
  return text.split("\n").map((line) => `${mark} ${line}`);
}

function headOf({ from, files: told, count, onlyModes }: FilesChanged): string {
  if (count === undefined) return `files of ${from} changed; not all of them are known${told.length > 0 ? ":" : ""}`;
  const files = count === 1 ? "1 file" : `${count} files`;
  return onlyModes ? `only mode bits changed (umask, checkout) of ${files} of ${from}:` : `${files} of ${from} changed:`;
}

function filesOf({ files, count = 0 }: FilesChanged): string[] {
  const rest = count - files.length;
  return [...files.map(fileLine), ...(rest > 0 ? [`  … and ${rest} more`] : [])];
}

function fileLine({ path, change, old, new: value }: FileChange): string {
  const values = old === undefined || value === undefined ? "" : `  ${old} → ${value}`;
  return `  ${change.padEnd(7)}  ${path.replace(/^\/(?=.)/, "")}${values}`;
}
