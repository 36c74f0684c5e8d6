import type { BuildExplanation } from "../../engine/index.ts";
import { VarveError } from "../../errors/index.ts";
import { reasonText, rootCauseLines } from "../../explain/index.ts";
import { defineCommand } from "../command.ts";

export const explain = defineCommand({
  usage: "[OPTIONS] [BUILD]",
  flags: {
    format: { kind: "string", help: 'Format the output: "text" or "json" (default "text")' },
  },
  args: { min: 0, max: 1 },
  async run({ flags, args, io, openStore }) {
    const { format = "text" } = flags;
    if (format !== "text" && format !== "json")
      throw new VarveError("USAGE", `invalid format ${format}`, { hint: "there are text and json" });
    const explanation = await (await openStore()).explain(args[0], { signal: io.signal });
    io.stdout.print(format === "json" ? `${JSON.stringify(explanation, undefined, 2)}\n` : formatExplanation(explanation));
  },
});

/** What ran and why, for people. */
export function formatExplanation({ ref, status, steps, roots }: BuildExplanation): string {
  const ran = steps.filter(({ reason }) => reason !== undefined);
  const cached = steps.filter(({ outcome }) => outcome === "cached").length;
  const head = `build ${ref} (${status}): ${ran.length} ${ran.length === 1 ? "step" : "steps"} ran, ${cached} cached\n`;
  if (ran.length === 0) return head;
  const causes = rootCauseLines(roots).map((line) => `  ${line}\n`);
  const told = ran.map(({ name, outcome, reason }) => {
    const lines = reason === undefined ? [] : reasonText(reason);
    const mark = outcome === "failed" ? " (failed)" : outcome === "unfinished" ? " (not finished)" : "";
    return `\n${name}${mark}\n${lines.map((line) => `  ${line}\n`).join("")}`;
  });
  return `${head}\nIt began with\n${causes.join("")}${told.join("")}`;
}
