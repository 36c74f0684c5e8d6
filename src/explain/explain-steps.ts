import { hash } from "node:crypto";
import type { ParentRan, RootCause, StepReason } from "../events/index.ts";
import { compareFiles } from "./compare-files.ts";
import type { VariableNames } from "./compare-settings.ts";
import type { FileList } from "./file-list.ts";
import { matchSteps } from "./match-steps.ts";
import { ownChange } from "./own-change.ts";
import { keepUnreached } from "./keep-unreached.ts";
import type { StepTrace, Trace } from "./trace.ts";

/** What the solver tells of a vertex when its key is known. */
export interface SolvedFacts {
  readonly vertex: string;
  readonly key: string;
  readonly op: string;
  readonly stands?: string;
  /** For each input the digests of the parts that are read of it; undefined where that is not known, or it counts as a whole. */
  readonly contents: readonly (readonly string[] | undefined)[];
  readonly whole: readonly boolean[];
}

export interface ExplainOptions {
  /** The build's steps as the graph has them; asked once, and not before it is needed. */
  readonly now: () => Trace;
  /** The build to compare with; asked once, and not before it is needed. */
  readonly before: () => Trace | undefined;
  /** The files behind a digest of contents, where they are still known. */
  readonly listing: (digest: string) => FileList | undefined;
  /** The entries of a folder of such a list. */
  readonly entries: (digest: string) => string | undefined;
  /** When and why a record left the cache. */
  readonly goneSince?: (key: string) => { readonly time: number; readonly why: string } | undefined;
  /** `--no-cache` names stages (`--no-cache-filter`). */
  readonly noCacheByStage?: boolean;
}

/** Takes what happens in one build, and says why its steps run. */
export interface StepExplainer {
  /** A key is known: those of inputs before those of their users. */
  solved(facts: SolvedFacts): void;
  /** A step is about to run: why. Undefined for a folder of the user's, which is read in every build. */
  starts(vertex: string, cause: "ignored" | "forced" | "missing"): StepReason | undefined;
  /** The reason once more, now that files are listed which were not then. */
  again(vertex: string): StepReason | undefined;
  ended(vertex: string, outcome: "done" | "failed"): void;
  /** A digest of all keys: equal for two builds that came to the same. */
  state(): string;
  /** What to remember of this build. */
  trace(): Trace;
}

/** Explains the steps of one build against an earlier one. Fully cached builds cost a map entry for each step. */
export function explainSteps(options: ExplainOptions): StepExplainer {
  const solved = new Map<string, SolvedFacts>();
  const outcomes = new Map<string, "done" | "failed">();
  const ran = new Map<string, "ignored" | "forced" | "missing">();
  let session: Session | undefined;
  const open = (): Session => (session ??= openSession({ ...options, solved, outcomes, ran }));
  return {
    solved: (facts) => void solved.set(facts.vertex, facts),
    starts(vertex, cause) {
      ran.set(vertex, cause);
      return open().reasonOf(vertex);
    },
    again: (vertex) => open().reasonOf(vertex, true),
    ended: (vertex, outcome) => void outcomes.set(vertex, outcome),
    state() {
      const facts = [...solved.values()].map(({ vertex, key }) => [vertex, key, outcomes.get(vertex)]);
      return hash("sha256", JSON.stringify(facts.toSorted((left, right) => String(left).localeCompare(String(right), "en"))));
    },
    trace: () => open().trace(),
  };
}

interface SessionOptions extends ExplainOptions {
  readonly solved: ReadonlyMap<string, SolvedFacts>;
  readonly outcomes: ReadonlyMap<string, "done" | "failed">;
  readonly ran: ReadonlyMap<string, "ignored" | "forced" | "missing">;
}

interface Session {
  /** `anew`: what was found before may be vague. */
  reasonOf(vertex: string, anew?: boolean): StepReason | undefined;
  trace(): Trace;
}

function openSession(options: SessionOptions): Session {
  const { solved, outcomes, ran } = options;
  const now = options.now();
  const before = options.before();
  const indices = new Map(now.steps.map(({ vertex }, index) => [vertex, index]));
  const matches = before === undefined ? new Map<number, number>() : matchSteps(now, before);
  const names: VariableNames = {
    args: new Set([...Object.keys(now.args), ...Object.keys(before?.args ?? {})]),
    env: new Set([...now.env, ...(before?.env ?? [])]),
  };
  const reasons = new Map<number, StepReason>();

  /** The step with what the solver found out. */
  function stepAt(index: number): StepTrace {
    const step = now.steps[index];
    if (step === undefined) throw new TypeError(`no step ${index}`);
    const facts = solved.get(step.vertex);
    const outcome = outcomes.get(step.vertex);
    if (facts === undefined) return step;
    const origin = step.origin && { ...step.origin, ...(facts.stands === undefined ? {} : { stands: facts.stands }) };
    const inputs = step.inputs.map((input, place) => {
      const contents = facts.contents[place];
      const whole = facts.whole[place] ?? true;
      return { step: input.step, whole, ...(contents === undefined ? {} : { contents }) };
    });
    const { op, key } = facts;
    return { ...step, ...(origin && { origin }), inputs, op, key, ...(outcome === undefined ? {} : { outcome }) };
  }

  const oldOf = (index: number): StepTrace | undefined => before?.steps[matches.get(index) ?? -1];

  function isChanged(index: number): boolean {
    const step = stepAt(index);
    if (step.origin?.kind === "local") return false;
    return ran.has(step.vertex) || step.key !== oldOf(index)?.key;
  }

  function reasonAt(index: number): StepReason {
    const known = reasons.get(index);
    if (known) return known;
    const reason = findReason(index);
    // an input that is asked about before it runs may have another reason once it does
    if (ran.has(stepAt(index).vertex)) reasons.set(index, reason);
    return reason;
  }

  function findReason(index: number): StepReason {
    const step = stepAt(index);
    const cause = ran.get(step.vertex);
    if (cause === "ignored") {
      const { noCacheByStage = false } = options;
      return { kind: "no-cache", ...(noCacheByStage && step.place ? { stage: step.place.stage } : {}) };
    }
    const old = oldOf(index);
    if (old?.op === undefined || before === undefined) return newStep(index);
    if (step.key === old.key) return sameKey(index, old, cause);
    const own = step.op === old.op ? undefined : ownChange(step, old, { now, before, names, baseOf, oldOf, isChanged, index });
    return own ?? changedContents(index, old) ?? parentRan(index) ?? replacedInput(index, old);
  }

  function newStep(index: number): StepReason {
    const { place, text } = stepAt(index);
    const isKnownStage = now.steps.some(
      (other, at) => place !== undefined && other.place?.stage === place.stage && matches.has(at),
    );
    if (!isKnownStage || matches.has(index)) return { kind: "first-time" };
    const matched = new Set(matches.values());
    const moved = before?.steps.some((old, at) => old.place !== undefined && old.text === text && !matched.has(at)) ?? false;
    return { kind: "new-instruction", text, ...(moved ? { moved } : {}) };
  }

  /** The step is the one that was made before, but it runs. */
  function sameKey(index: number, old: StepTrace, cause: string | undefined): StepReason {
    const parent = parentRan(index);
    if (cause === "forced" && parent) return parent;
    if (old.outcome === "failed") return { kind: "failed-before" };
    if (old.outcome === undefined) return parent ?? { kind: "first-time" };
    const gone = options.goneSince?.(old.key ?? "");
    // what was made from a result that was made anew is forgotten with it
    return gone === undefined && parent ? parent : { kind: "cache-gone", ...gone };
  }

  /** The input that a step builds on: the first that counts as a whole. */
  function baseOf(index: number): number | undefined {
    return stepAt(index).inputs.find(({ whole }) => whole)?.step;
  }

  function changedContents(index: number, old: StepTrace): StepReason | undefined {
    for (const [place, input] of stepAt(index).inputs.entries()) {
      if (input.whole || input.contents === undefined) continue;
      const earlier = old.inputs[place]?.contents;
      if (JSON.stringify(earlier) === JSON.stringify(input.contents)) continue;
      const source = stepAt(input.step);
      const oldSource = oldOf(input.step);
      if (isInlineFile(source) && oldSource?.command)
        return { kind: "instruction-changed", old: oldSource.command[0] ?? "", new: source.command?.[0] ?? "" };
      const roots = source.origin?.kind === "local" ? [] : rootsOf(input.step);
      const from = nameOfSource(source);
      return { kind: "files-changed", from, ...changedFiles(input.contents, earlier), ...(roots.length > 0 ? { roots } : {}) };
    }
    return undefined;
  }

  function changedFiles(contents: readonly string[], earlier: readonly string[] | undefined) {
    const all = (digests: readonly string[] | undefined): FileList[] | undefined => {
      const lists = digests?.map((digest) => options.listing(digest));
      return lists?.every((list) => list !== undefined) ? lists : undefined;
    };
    const [mine, theirs] = [all(contents), all(earlier)];
    if (mine === undefined || theirs === undefined) return { files: [] };
    const { onlyModes, ...found } = compareFiles(mine, theirs, options.entries);
    return { ...found, ...(onlyModes ? { onlyModes: true as const } : {}) };
  }

  function parentRan(index: number): ParentRan | undefined {
    const changed = stepAt(index).inputs.filter((input) => input.whole && isChanged(input.step));
    const [first] = changed;
    if (first === undefined) return undefined;
    const { vertex, name } = stepAt(first.step);
    const roots = distinct(changed.flatMap((input) => rootsOf(input.step)));
    return { kind: "parent-ran", parent: { vertex, name }, roots };
  }

  /** Nothing that the step is made of has changed, but it is made of something else. */
  function replacedInput(index: number, old: StepTrace): StepReason {
    for (const [place, input] of stepAt(index).inputs.entries()) {
      const earlier = old.inputs[place]?.step;
      if (matches.get(input.step) === earlier) continue;
      const gone = before?.steps[earlier ?? -1];
      if (gone === undefined) break;
      const isGone = ![...matches.values()].includes(earlier ?? -1);
      if (isGone && gone.place !== undefined && gone.kind !== "source") return { kind: "instruction-removed", text: gone.text };
      return { kind: "input-replaced", old: gone.name, new: stepAt(input.step).name };
    }
    return { kind: "unexplained" };
  }

  /** Where the change of a step began: itself, or what it builds on. */
  function rootsOf(index: number): RootCause[] {
    if (!isChanged(index)) return [];
    const reason = reasonAt(index);
    if (reason.kind === "parent-ran") return [...reason.roots];
    if (reason.kind === "files-changed" && reason.roots) return [...reason.roots];
    const { vertex, name } = stepAt(index);
    return [{ vertex, name, reason }];
  }

  return {
    reasonOf(vertex, anew = false) {
      const index = indices.get(vertex);
      if (index === undefined || now.steps[index]?.origin?.kind === "local") return undefined;
      if (anew) reasons.delete(index);
      return reasonAt(index);
    },
    trace() {
      const steps = now.steps.map((_, index) => stepAt(index));
      return keepUnreached({ ...now, steps }, before, matches);
    },
  };
}

/** The file of a heredoc: it has no place of its own. */
function isInlineFile({ kind, place, command }: StepTrace): boolean {
  return kind === "file" && place === undefined && command !== undefined;
}

function nameOfSource({ origin, place, name }: StepTrace): string {
  if (origin) return origin.name;
  return place === undefined || place.stage === "" ? name : place.stage;
}

function distinct(roots: readonly RootCause[]): RootCause[] {
  return [...new Map(roots.map((root) => [root.vertex, root])).values()];
}
