import type { BuildRecord, BuildResult, History } from "../../engine/index.ts";
import { rootCauseLines, rootCauses } from "../../explain/index.ts";
import { formatSize } from "../format/sizes.ts";
import type { Io } from "../io.ts";

/** Causes that are told at the end of a build; `varve explain` tells all. */
const maxCauses = 5;

/** What ran and why, what was cached, and how large the image is beside the last one of the same build. */
export async function printSummary(result: BuildResult, history: History, io: Io): Promise<void> {
  const lines = [countLine(result), ...causeLines(result)];
  if (result.sizeBytes !== undefined && result.steps.some(({ reason }) => reason !== undefined)) {
    lines.push(sizeLine(result.sizeBytes, previousSize(result.ref, await history.list())));
  }
  io.stderr.print(`\n${lines.map((line) => ` ${line}\n`).join("")}`);
}

/** The user's folders, which every build reads, are no steps here: they have neither a reason nor a place in the cache. */
function countLine({ steps }: BuildResult): string {
  const cached = steps.filter((step) => step.cached).length;
  const ran = steps.filter(({ reason }) => reason !== undefined).length;
  if (ran === 0) return `${counted(cached)}, all cached`;
  return `${counted(ran)} ran, ${cached} cached`;
}

function counted(steps: number): string {
  return steps === 1 ? "1 step" : `${steps} steps`;
}

function causeLines({ steps }: BuildResult): string[] {
  const explained = steps.flatMap(({ vertex, name, reason }) => (reason === undefined ? [] : [{ vertex, name, reason }]));
  const causes = rootCauseLines(rootCauses(explained));
  const shown = causes.slice(0, maxCauses).map((line) => `  ${line}`);
  if (causes.length > maxCauses) shown.push(`  and ${causes.length - maxCauses} more: varve explain`);
  return shown;
}

function sizeLine(sizeBytes: number, previousBytes: number | undefined): string {
  const size = `image ${formatSize(sizeBytes)}`;
  if (previousBytes === undefined) return size;
  const change = sizeBytes - previousBytes;
  if (change === 0) return `${size}, as in the last build`;
  return `${size}, ${formatSize(Math.abs(change))} ${change > 0 ? "more" : "less"} than in the last build`;
}

/** The size that the last build of the same Dockerfile, context, target and platforms had. */
function previousSize(ref: string, records: readonly BuildRecord[]): number | undefined {
  const own = records.find((record) => record.ref === ref);
  if (own === undefined) return undefined;
  const line = lineOf(own);
  return records.find((record) => record.ref !== ref && record.result?.sizeBytes !== undefined && lineOf(record) === line)?.result
    ?.sizeBytes;
}

function lineOf({ options: { context, dockerfile, target, platforms } }: BuildRecord): string {
  return JSON.stringify([context, dockerfile, target, platforms]);
}
