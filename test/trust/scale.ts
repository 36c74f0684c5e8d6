/** How much the suites of this folder do: a part of it with `npm test`, all of it with VARVE_TRUST=long. */
import { join } from "node:path";

export const isLong = process.env["VARVE_TRUST"] === "long";

/** What a process is given that {@link ./faults.ts} is to end at its Nth change; 0: it only counts. */
export function faultEnv(target: "main" | "worker", at: number, log: string): Readonly<Record<string, string>> {
  const preload = `--import=${join(import.meta.dirname, "faults.ts")}`;
  return { NODE_OPTIONS: preload, VARVE_FAULT: `${target}:${at}`, VARVE_FAULT_LOG: log };
}

/** The numbers from 1 to `last`: all of them, or `few` that lie evenly between. */
export function pickPoints(last: number, few: number): readonly number[] {
  const all = Array.from({ length: last }, (_, index) => index + 1);
  if (isLong || last <= few) return all;
  return Array.from({ length: few }, (_, index) => Math.round(((index + 0.5) * last) / few));
}

/** Prints what a suite counted, where whoever runs it sees it. */
export function tell(counts: Readonly<Record<string, number>>): void {
  const text = Object.entries(counts).map(([name, count]) => `${name}: ${count}`);
  process.stderr.write(`  ${text.join(", ")}\n`);
}
