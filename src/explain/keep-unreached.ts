import type { StepTrace, Trace } from "./trace.ts";

/** No more steps of stages that this build did not need are carried on than this. */
const maxCarriedSteps = 2000;

/**
 * The trace to remember: the build's own, with what is known from before of the steps that it did not get to (it failed, or
 * its target does not need them), so that the next build is compared with the last time that each step was made.
 */
export function keepUnreached(now: Trace, before: Trace | undefined, matches: ReadonlyMap<number, number>): Trace {
  if (before === undefined) return now;
  const steps = now.steps.map((step, index): StepTrace => {
    const old = before.steps[matches.get(index) ?? -1];
    if (step.outcome !== undefined || old?.outcome === undefined) return step;
    const inputs = step.inputs.map((input, place) => {
      const { whole = input.whole, contents } = old.inputs[place] ?? {};
      return { step: input.step, whole, ...(contents === undefined ? {} : { contents }) };
    });
    const { vertex, name, place } = step;
    return { ...old, vertex, name, inputs, ...(place === undefined ? {} : { place }) };
  });
  return { ...now, steps: [...steps, ...carriedSteps(now, before, matches)] };
}

/** Steps of stages that the Dockerfile still has but this build did not need, with all that they read from. */
function carriedSteps(now: Trace, before: Trace, matches: ReadonlyMap<number, number>): StepTrace[] {
  const built = new Set(now.steps.map(({ place }) => place?.stage));
  const stages = new Set(now.stages.filter((stage) => !built.has(stage)));
  const newIndex = new Map([...matches].map(([index, old]) => [old, index]));
  const wanted = new Set<number>();
  for (let old = before.steps.length - 1; old >= 0; old -= 1) {
    const step = before.steps[old];
    if (step === undefined || newIndex.has(old)) continue;
    if (!wanted.has(old) && !(step.place && stages.has(step.place.stage))) continue;
    wanted.add(old);
    for (const input of step.inputs) if (!newIndex.has(input.step)) wanted.add(input.step);
  }
  if (wanted.size > maxCarriedSteps) return [];
  const carried: StepTrace[] = [];
  for (const old of [...wanted].sort((a, b) => a - b)) {
    const step = before.steps[old];
    if (step === undefined) continue;
    newIndex.set(old, now.steps.length + carried.length);
    carried.push({ ...step, inputs: step.inputs.map((input) => ({ ...input, step: newIndex.get(input.step) ?? 0 })) });
  }
  return carried;
}
