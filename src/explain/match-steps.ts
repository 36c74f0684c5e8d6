import type { StepTrace, Trace } from "./trace.ts";

/**
 * Finds for every step the step of an earlier build that it was: index by index. Instructions are aligned within their
 * stage, so that an inserted line matches nothing and what follows matches as before; what is no instruction (a heredoc's
 * file, a context) is matched through the step that reads it.
 */
export function matchSteps(now: Pick<Trace, "steps" | "stages">, before: Pick<Trace, "steps" | "stages">): Map<number, number> {
  const matches = new Map<number, number>();
  const [newLists, oldLists] = [stepLists(now), stepLists(before)];
  for (const [stage, oldStage] of matchStages(newLists, oldLists, { now, before })) {
    const [mine, theirs] = [newLists.get(stage) ?? [], oldLists.get(oldStage) ?? []];
    for (const [a, b] of align(mine.map(tokenIn(now)), theirs.map(tokenIn(before)))) {
      const [index, old] = [mine[a], theirs[b]];
      if (index !== undefined && old !== undefined) matches.set(index, old);
    }
  }
  matchInputs(now, before, matches);
  return matches;
}

/** Labels of a stage in the file with its steps, in order. */
function stepLists({ steps }: Pick<Trace, "steps">): Map<string, number[]> {
  const lists = new Map<string, number[]>();
  for (const [index, { place }] of steps.entries()) {
    if (place === undefined) continue;
    const list = lists.get(place.stage);
    if (list) list.push(index);
    else lists.set(place.stage, [index]);
  }
  const number = (index: number): number => steps[index]?.place?.step ?? 0;
  for (const list of lists.values()) list.sort((a, b) => number(a) - number(b) || a - b);
  return lists;
}

interface Traces {
  readonly now: Pick<Trace, "steps" | "stages">;
  readonly before: Pick<Trace, "steps" | "stages">;
}

/** Stages by name; those without a name, or renamed, by what they have in common. */
function matchStages(
  newLists: ReadonlyMap<string, readonly number[]>,
  oldLists: ReadonlyMap<string, readonly number[]>,
  { now, before }: Traces,
): Map<string, string> {
  const isNamed = (label: string): boolean => label !== "" && !/^stage-\d+$/.test(label);
  const found = new Map<string, string>();
  for (const label of newLists.keys()) if (isNamed(label) && oldLists.has(label)) found.set(label, label);
  const free = new Set([...oldLists.keys()].filter((label) => !isNamed(label) || !now.stages.includes(label)));
  const pairs: { readonly label: string; readonly old: string; readonly common: number; readonly same: number }[] = [];
  for (const [label, list] of newLists) {
    if (found.has(label)) continue;
    // a name that the file had before is that stage, though its steps are not known
    if (isNamed(label) && before.stages.includes(label)) continue;
    const mine = list.map(tokenIn(now));
    for (const old of free) {
      const theirs = new Set((oldLists.get(old) ?? []).map(tokenIn(before)));
      const common = mine.filter((token) => theirs.has(token)).length;
      pairs.push({ label, old, common, same: label === old ? 1 : 0 });
    }
  }
  pairs.sort((a, b) => b.common - a.common || b.same - a.same);
  for (const { label, old, common } of pairs) {
    if (found.has(label) || !free.has(old)) continue;
    // two named stages without a common step are two stages
    if (common === 0 && (isNamed(label) || isNamed(old))) continue;
    found.set(label, old);
    free.delete(old);
  }
  return found;
}

function tokenIn({ steps }: Pick<Trace, "steps">): (index: number) => string {
  return (index) => {
    const step = steps[index];
    return step === undefined ? "" : `${step.kind} ${step.text}`;
  };
}

/** Pairs of indices: the longest common sequence, and in each gap what has the same keyword, in order. */
export function align(a: readonly string[], b: readonly string[]): [number, number][] {
  const pairs: [number, number][] = [];
  const same = commonSequence(a, b);
  let [i, j] = [0, 0];
  for (const [nextA, nextB] of [...same, [a.length, b.length] as const]) {
    for (; i < nextA; i += 1) {
      const keyword = keywordOf(a[i]);
      let at = j;
      while (at < nextB && keywordOf(b[at]) !== keyword) at += 1;
      if (at >= nextB) continue;
      // What was inserted looks least like what stood here: leave the old line to a later one that is more like it
      const rest = a.slice(i + 1, nextA).filter((token) => keywordOf(token) === keyword);
      const left = b.slice(at, nextB).filter((token) => keywordOf(token) === keyword);
      const likeness = alike(a[i], b[at]);
      if (rest.length >= left.length && rest.some((token) => alike(token, b[at]) > likeness)) continue;
      pairs.push([i, at]);
      j = at + 1;
    }
    pairs.push([nextA, nextB]);
    [i, j] = [nextA + 1, nextB + 1];
  }
  pairs.pop();
  return pairs;
}

/** `exec RUN`, `file COPY` … */
function keywordOf(token: string | undefined): string {
  return /^\S+ (?:ONBUILD |LINK )?\S*/.exec(token ?? "")?.[0] ?? "";
}

/** How many characters two texts have in common at their ends. */
function alike(a = "", b = ""): number {
  const most = Math.min(a.length, b.length);
  let head = 0;
  while (head < most && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < most - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  return head + tail;
}

/** Longer lists of steps (in one stage) are compared place by place: 4 million comparisons are the most. */
const maxTable = 4_000_000;

/** A longest common sequence, as pairs of indices in order. */
function commonSequence(a: readonly string[], b: readonly string[]): [number, number][] {
  const pairs: [number, number][] = [];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) pairs.push([start, start++]);
  const [restA, restB] = [a.length - start, b.length - start];
  if (restA * restB > maxTable) return pairs;
  const width = restB + 1;
  const table = new Uint32Array((restA + 1) * width);
  const at = (i: number, j: number): number => table[i * width + j] ?? 0;
  for (let i = restA - 1; i >= 0; i -= 1)
    for (let j = restB - 1; j >= 0; j -= 1)
      table[i * width + j] = a[start + i] === b[start + j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  for (let i = 0, j = 0; i < restA && j < restB;) {
    if (a[start + i] === b[start + j]) pairs.push([start + i++, start + j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return pairs;
}

/** What has no place in a stage is the same input of the same step. Users stand behind their inputs. */
function matchInputs(now: Pick<Trace, "steps">, before: Pick<Trace, "steps">, matches: Map<number, number>): void {
  const taken = new Set(matches.values());
  for (let index = now.steps.length - 1; index >= 0; index -= 1) {
    const old = before.steps[matches.get(index) ?? -1];
    const step = now.steps[index];
    if (step === undefined || old === undefined) continue;
    const isOpen = (input: number): boolean => !matches.has(input) && now.steps[input]?.place === undefined;
    const mine = step.inputs.filter((input) => isOpen(input.step));
    const theirs = old.inputs.filter(({ step: input }) => !taken.has(input) && before.steps[input]?.place === undefined);
    for (const [place, { step: input }] of mine.entries()) {
      const kin = now.steps[input];
      const candidates = theirs.filter(({ step: other }) => !taken.has(other) && isKin(kin, before.steps[other]));
      const found = candidates.find(({ step: other }) => before.steps[other]?.vertex === kin?.vertex) ?? candidates[0];
      if (found === undefined || (place > 0 && matches.has(input))) continue;
      matches.set(input, found.step);
      taken.add(found.step);
    }
  }
}

function isKin(a: StepTrace | undefined, b: StepTrace | undefined): boolean {
  return a?.kind === b?.kind && a?.origin?.kind === b?.origin?.kind;
}
