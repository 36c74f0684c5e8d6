/** Reads plain progress. */

export interface Step {
  readonly name: string;
  readonly end: "DONE" | "CACHED" | "ERROR" | "CANCELED" | undefined;
  /** What its command said, line by line. */
  readonly log: readonly string[];
}

/** The steps of a build's plain progress in the order in which they began. */
export function readSteps(progress: string): readonly Step[] {
  const steps = new Map<string, { name: string; end: Step["end"]; log: string[] }>();
  for (const line of progress.split("\n")) {
    const [, number = "", rest = ""] = /^#(\d+) (.*)$/.exec(line) ?? [];
    const step = steps.get(number);
    const [, end] = /^(DONE|CACHED|ERROR|CANCELED)\b/.exec(rest) ?? [];
    const [, said] = /^\d+\.\d+ (.*)$/.exec(rest) ?? [];
    if (step === undefined && rest.startsWith("[")) steps.set(number, { name: rest, end: undefined, log: [] });
    else if (step && said !== undefined) step.log.push(said);
    else if (step && end !== undefined) step.end ??= end as Step["end"];
  }
  return [...steps.values()];
}

/** What the only step whose name has `words` in it said. */
export function logOf(progress: string, words: string): readonly string[] {
  const steps = readSteps(progress).filter(({ name }) => name.includes(words));
  if (steps.length !== 1) throw new Error(`${steps.length} steps have "${words}" in their name:\n${progress}`);
  return steps[0]?.log ?? [];
}

/** The instructions that ran, without those that were cached, failed or are no instructions; without their `[stage n/m]`. */
export function stepsRun(progress: string): readonly string[] {
  return readSteps(progress)
    .filter(({ name, end }) => end === "DONE" && !name.startsWith("[internal]") && !/\] FROM /.test(name))
    .map(({ name }) => name.replace(/^\[.*?\] /, ""))
    .toSorted();
}
