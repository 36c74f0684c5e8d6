import type { SettingChange, StepReason } from "../events/index.ts";
import { changedArgs, compareSettings, type VariableNames } from "./compare-settings.ts";
import type { StepTrace, Trace } from "./trace.ts";

interface Surroundings {
  readonly now: Trace;
  readonly before: Trace;
  readonly names: VariableNames;
  readonly index: number;
  readonly baseOf: (index: number) => number | undefined;
  readonly oldOf: (index: number) => StepTrace | undefined;
  readonly isChanged: (index: number) => boolean;
}

/** Why what a step does is another thing than before; undefined where that follows from the step that it builds on. */
export function ownChange(step: StepTrace, old: StepTrace, around: Surroundings): StepReason | undefined {
  switch (step.kind) {
    case "exec":
      return changedCommand(step, old) ?? changedSettings(step, old, around) ?? changedText(step, old, around);
    case "source":
      return changedText(step, old, around) ?? changedOrigin(step, old) ?? changedSettings(step, old, around);
    case "file":
    case "diff":
    case "merge":
      return changedText(step, old, around) ?? changedBody(step, old) ?? changedFileAction(step, old, around);
  }
}

function changedCommand(step: StepTrace, old: StepTrace): StepReason | undefined {
  const [mine, theirs] = [step.command ?? [], old.command ?? []];
  if (JSON.stringify(mine) === JSON.stringify(theirs)) return undefined;
  if (step.text !== old.text) return { kind: "instruction-changed", old: old.text, new: step.text };
  // the same text in another shell, or a heredoc with another body
  const [last, oldLast] = [mine.at(-1) ?? "", theirs.at(-1) ?? ""];
  if (last !== oldLast) return { kind: "instruction-changed", old: oldLast, new: last };
  const change: SettingChange = {
    setting: "shell",
    name: "shell",
    old: theirs.slice(0, -1).join(" "),
    new: mine.slice(0, -1).join(" "),
  };
  return { kind: "settings-changed", changes: [change] };
}

function changedSettings(step: StepTrace, old: StepTrace, around: Surroundings): StepReason | undefined {
  const inherited = step.kind === "exec" ? inheritedChanges(around) : new Set<string>();
  const changes = compareSettings(step, old, around.names).filter((change) => !inherited.has(tokenOf(change)));
  return changes.length === 0 ? undefined : { kind: "settings-changed", changes };
}

function tokenOf({ setting, name, old, new: value }: SettingChange): string {
  return JSON.stringify(setting === "working directory" ? [setting] : [setting, name, old, value]);
}

/** What differs already in the steps that a step builds on: there it began. */
function inheritedChanges({ index, baseOf, oldOf, names, now }: Surroundings): Set<string> {
  const found = new Set<string>();
  for (let at = baseOf(index); at !== undefined; at = baseOf(at)) {
    const step = now.steps[at];
    const old = oldOf(at);
    if (step === undefined || old === undefined) continue;
    if (step.text.startsWith("WORKDIR") && step.text !== old.text) found.add(JSON.stringify(["working directory"]));
    if (step.kind !== "exec") continue;
    for (const change of compareSettings(step, old, names)) found.add(tokenOf(change));
    break;
  }
  return found;
}

/** The instruction with its arguments filled in; where the lines of the file are the same, an argument was changed. */
function changedText(step: StepTrace, old: StepTrace, { now, before }: Surroundings): StepReason | undefined {
  if (step.text === old.text) return undefined;
  const changes = step.source === old.source ? changedArgs(step.source, now.args, before.args) : [];
  if (changes.length > 0) return { kind: "settings-changed", changes };
  return { kind: "instruction-changed", old: old.text, new: step.text };
}

/** The file of a heredoc. */
function changedBody(step: StepTrace, old: StepTrace): StepReason | undefined {
  const [mine = "", theirs = ""] = [step.command?.[0], old.command?.[0]];
  return mine === theirs ? undefined : { kind: "instruction-changed", old: theirs, new: mine };
}

/** The same words that come to something else: through a variable, or WORKDIR and USER further up. */
function changedFileAction(step: StepTrace, old: StepTrace, around: Surroundings): StepReason | undefined {
  const { now, before, baseOf, isChanged, index } = around;
  const args = changedArgs(step.source, now.args, before.args);
  if (args.length > 0) return { kind: "settings-changed", changes: args };
  const base = baseOf(index);
  return base !== undefined && isChanged(base) ? undefined : changedSettings(step, old, around);
}

function changedOrigin({ origin }: StepTrace, { origin: old }: StepTrace): StepReason | undefined {
  if (origin === undefined || old === undefined) return undefined;
  if (origin.name !== old.name) return { kind: "instruction-changed", old: old.name, new: origin.name };
  if (origin.stands === undefined || old.stands === undefined || origin.stands === old.stands) return undefined;
  const stands = { old: old.stands, new: origin.stands };
  if (origin.kind === "image") return { kind: "base-moved", image: origin.name, ...stands };
  return { kind: "source-moved", source: origin.name, ...stands };
}
