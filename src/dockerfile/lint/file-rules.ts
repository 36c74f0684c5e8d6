import type { Stage } from "../instructions.ts";
import type { SyntaxTree } from "../syntax.ts";
import type { Linter } from "./linter.ts";

/** Empty lines within continuations (N03). */
export function lintContinuations(tree: SyntaxTree, linter: Linter): void {
  for (const where of tree.emptyContinuations) linter.run("NoEmptyContinuation", "Empty continuation line", where);
}

const reservedStageNames: ReadonlySet<string> = new Set(["context", "scratch"]);

/** Names of stages that mean something else or come twice (N05, N06). */
export function lintStageNames(stages: readonly Stage[], linter: Linter): void {
  const seen = new Set<string>();
  for (const {
    from: { name, where },
  } of stages) {
    if (name === undefined) continue;
    if (reservedStageNames.has(name)) {
      linter.run("ReservedStageName", `Stage name should not use the same name as reserved stage "${name}"`, where);
    }
    if (seen.has(name)) linter.run("DuplicateStageName", `Duplicate stage name "${name}", stage names should be unique`, where);
    seen.add(name);
  }
}

/** Keywords that are not written as most are (N04). ARG before the first FROM does not count. */
export function lintKeywords(stages: readonly Stage[], linter: Linter): void {
  const instructions = stages.flatMap(({ from, instructions: others }) => [from, ...others]);
  const wanted = keywordCase(instructions.map(({ keyword }) => keyword));
  for (const { keyword, where } of instructions) {
    if (keyword === inCase(keyword, wanted)) continue;
    const message = `Command '${keyword}' should match the case of the command majority (${wanted})`;
    linter.run("ConsistentInstructionCasing", message, where);
  }
}

/** The case that most keywords have; mixed ones have no vote, and upper case wins a draw. */
export function keywordCase(keywords: readonly string[]): "lowercase" | "uppercase" {
  const lower = keywords.filter((keyword) => keyword === keyword.toLowerCase()).length;
  const upper = keywords.filter((keyword) => keyword !== keyword.toLowerCase() && keyword === keyword.toUpperCase()).length;
  return lower > upper ? "lowercase" : "uppercase";
}

/** A keyword in that case. */
export function inCase(keyword: string, wanted: "lowercase" | "uppercase"): string {
  return wanted === "lowercase" ? keyword.toLowerCase() : keyword.toUpperCase();
}
