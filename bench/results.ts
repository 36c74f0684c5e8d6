import type { Finding, Row } from "./workload.ts";

export interface Measured {
  readonly workload: string;
  readonly results: readonly (Row | Finding)[];
  /** The machine's load when it began and when it ended. */
  readonly load: readonly [number, number];
}

/** The results as Markdown. */
export function formatResults(all: readonly Measured[], machine: readonly string[]): string {
  const rows = all.flatMap(({ results, load }) => results.flatMap((result) => ("times" in result ? rowsOf(result, load) : [])));
  const findings = all.flatMap(({ results }) => results.filter((result) => "found" in result));
  return [
    "# Results of `npm run bench`",
    "",
    "Written by the bench. Medians in seconds, with the fastest and the slowest run; the ratio is Varve's median over the other's,",
    "then the middle half of the ratios of neighbouring runs. All measured alternately in one run. The load is the machine's when",
    "the workload began and ended: more than one or two says that others worked beside it.",
    "",
    ...machine.map((line) => `- ${line}`),
    "",
    "| workload | Varve | compared with | its time | ratio | middle half | target | load |",
    "|---|---|---|---|---|---|---|---|",
    ...rows,
    ...(findings.length === 0
      ? []
      : [
          "",
          "| measure | found | target |",
          "|---|---|---|",
          ...findings.map((one) => `| ${one.what} | ${one.found} | ${one.target} |`),
        ]),
    "",
  ].join("\n");
}

function rowsOf({ what, target, times }: Row, load: readonly [number, number]): string[] {
  const [ours, ...others] = [...times];
  if (ours === undefined) return [];
  return others.map(([name, theirs], index) => {
    const ratio = median(ours[1]) / median(theirs);
    const pairs = ours[1].map((ms, run) => ms / (theirs[run] ?? ms)).toSorted((a, b) => a - b);
    const middle = `${quantile(pairs, 0.25).toFixed(2)}–${quantile(pairs, 0.75).toFixed(2)}`;
    const wanted = target === undefined || index > 0 ? "" : `≤ ${target} ${ratio <= target ? "yes" : "no"}`;
    return `| ${[what, span(ours[1]), name, span(theirs), ratio.toFixed(2), middle, wanted, load.map((one) => one.toFixed(1)).join("–")].join(" | ")} |`;
  });
}

function span(times: readonly number[]): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(ms < 10_000 ? 3 : 1);
  return `${seconds(median(times))} (${seconds(Math.min(...times))}–${seconds(Math.max(...times))})`;
}

function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

/** Of sorted values, between neighbours in proportion. */
function quantile(sorted: readonly number[], part: number): number {
  const at = (sorted.length - 1) * part;
  const [low, high] = [sorted[Math.floor(at)] ?? NaN, sorted[Math.ceil(at)] ?? NaN];
  return low + (high - low) * (at - Math.floor(at));
}
