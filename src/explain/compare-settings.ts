import type { SettingChange } from "../events/index.ts";
import type { StepTrace } from "./trace.ts";

/** Which variables are build arguments and which the Dockerfile's ENV. */
export interface VariableNames {
  readonly args: ReadonlySet<string>;
  readonly env: ReadonlySet<string>;
}

/** Values longer than this are told cut, with `…`: 200 characters. */
const maxValueLength = 200;

/** How the settings of a step differ from those of an earlier one: arguments first, then as the step has them. */
export function compareSettings(now: StepTrace, before: StepTrace, names: VariableNames): SettingChange[] {
  const [mine, theirs] = [byName(now), byName(before)];
  const changes: SettingChange[] = [];
  for (const key of new Set([...mine.keys(), ...theirs.keys()])) {
    const [a, b] = [theirs.get(key), mine.get(key)];
    if (a?.value === b?.value) continue;
    const { setting, name } = (b ?? a) as Setting;
    changes.push({
      setting: setting === "environment" && names.args.has(name) && !names.env.has(name) ? "argument" : setting,
      name,
      ...(a === undefined ? {} : { old: shorten(a.value) }),
      ...(b === undefined ? {} : { new: shorten(b.value) }),
    });
  }
  return joinMoved(changes).sort((a, b) => Number(b.setting === "argument") - Number(a.setting === "argument"));
}

interface Setting {
  readonly setting: SettingChange["setting"];
  readonly name: string;
  readonly value: string;
}

function byName({ settings }: StepTrace): Map<string, Setting> {
  return new Map(
    settings.map(([setting, name, value]) => [
      JSON.stringify([setting, name]),
      { setting: setting as SettingChange["setting"], name, value },
    ]),
  );
}

/** A mount (or secret) that went and one that came are one that was changed. */
function joinMoved(changes: readonly SettingChange[]): SettingChange[] {
  const joined: SettingChange[] = [...changes];
  for (const kind of ["mount", "secret", "ssh"] as const) {
    const gone = joined.filter(({ setting, new: value }) => setting === kind && value === undefined);
    const come = joined.filter(({ setting, old }) => setting === kind && old === undefined);
    const [old] = gone;
    const [now] = come;
    if (gone.length !== 1 || come.length !== 1 || old === undefined || now === undefined) continue;
    joined.splice(joined.indexOf(old), 1);
    joined[joined.indexOf(now)] = {
      setting: kind,
      name: now.name,
      old: `${old.old},target=${old.name}`,
      new: `${now.new},target=${now.name}`,
    };
  }
  return joined;
}

export function shorten(text: string): string {
  return text.length > maxValueLength ? `${text.slice(0, maxValueLength)}…` : text;
}

/** Build arguments that an instruction's text names, as far as their values differ. */
export function changedArgs(
  text: string,
  now: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
): SettingChange[] {
  const named = [...text.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map(([, name = ""]) => name);
  return [...new Set([...named, "SOURCE_DATE_EPOCH"])]
    .filter((name) => now[name] !== before[name])
    .map((name) => ({
      setting: "argument",
      name,
      ...(before[name] === undefined ? {} : { old: shorten(before[name]) }),
      ...(now[name] === undefined ? {} : { new: shorten(now[name]) }),
    }));
}
