import type { Progress } from "./progress.ts";
import { createSteps, formatFailures } from "./steps.ts";

/** Shows nothing but the last output of steps that failed. */
export function createQuietProgress(options: { readonly write: (text: string) => void }): Progress {
  const steps = createSteps();
  return {
    take: steps.take,
    tick() {},
    end() {
      const text = formatFailures(steps);
      if (text !== "") options.write(text);
    },
  };
}

/** Shows nothing at all. */
export function createNoProgress(): Progress {
  return { take() {}, tick() {}, end() {} };
}
