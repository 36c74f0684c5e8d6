import type { Check } from "../check.ts";
import type { Instruction } from "../instructions.ts";
import { splitAtBlanks } from "../word-split.ts";
import type { Linter } from "./linter.ts";

/** What the words of one instruction show before they are checked: so a warning comes also where the check fails. */
export function lintWords({ node, base: { where } }: Check, linter: Linter): void {
  if (node.name === "MAINTAINER") {
    linter.run("MaintainerDeprecated", "Maintainer instruction is deprecated in favor of using label", where);
  }
  if (node.name !== "FROM") return;
  const words = splitAtBlanks(node.rest).map(({ text }) => text);
  const [, as, stage] = words;
  if (as === undefined || stage === undefined) return;
  if (words.length === 3 && stage !== stage.toLowerCase()) {
    linter.run("StageNameCasing", `Stage name '${stage}' should be lowercase`, where);
  }
  if (as !== wantedAs(node.keyword, as)) {
    linter.run("FromAsCasing", `'${as}' and '${node.keyword}' keywords' casing do not match`, where);
  }
}

/** AS in the case of FROM; as it is beside a FROM of mixed case, which another rule is about. */
export function wantedAs(from: string, as: string): string {
  if (from === from.toLowerCase()) return as.toLowerCase();
  return from === from.toUpperCase() ? as.toUpperCase() : as;
}

/** What a checked instruction shows by itself: the comment above FROM … AS and ARG begins with the name (N20). */
export function lintInstruction(instruction: Instruction, linter: Linter): void {
  if (instruction.kind !== "from" && instruction.kind !== "arg") return;
  const comment = instruction.docComment.at(-1);
  const names = instruction.kind === "arg" ? instruction.args.map(({ name }) => name) : [instruction.name ?? ""];
  const [name = ""] = names;
  if (comment === undefined || name === "" || names.includes(comment.split(" ")[0] ?? "")) return;
  const shown = names.length > 1 ? "<arg_key>" : name;
  const message = `Comment for ${instruction.kind.toUpperCase()} should follow the format: \`# ${shown} <description>\``;
  linter.run("InvalidDefinitionDescription", message, instruction.where);
}
