import { VarveError } from "../../errors/index.ts";
import type { BuildRecord, History } from "../../engine/index.ts";
import { defineCommand } from "../command.ts";
import { compileTemplate } from "../format/template.ts";
import { formatInspected } from "../history/format-inspected.ts";
import { formatSources, inspectBuild as inspectRecord, withoutEmpty } from "../history/inspect-build.ts";

/** Last lines of the step that failed, as buildx shows them. */
const maxLines = 16;

export const inspectBuild = defineCommand({
  usage: "[OPTIONS] [REF]",
  flags: {
    builder: { kind: "string", help: "Builder to work with (default: BUILDX_BUILDER, or with buildx the one in use)" },
    format: { kind: "string", help: 'Format the output: "pretty", "json" or a template (default "pretty")' },
    platform: { kind: "string", help: "", hidden: true, only: [] },
    type: { kind: "string", help: "", hidden: true, only: [] },
  },
  args: { min: 0, max: 3 },
  async run({ flags, args, io, openStore }) {
    if (args[0] === "attachment")
      throw new VarveError("NOT_SUPPORTED_YET", "varve history inspect attachment is not supported yet", {
        hint: "Varve makes no attestations yet, so that builds have no attachments",
      });
    if (args.length > 1) throw new VarveError("USAGE", "'varve history inspect' requires at most 1 argument");
    const format = flags.format ?? "pretty";
    const render = format === "pretty" || format === "json" ? undefined : compileTemplate(format);
    const { history } = await openStore();
    const record = await history.get(args[0]);
    const failed = await readFailed(record, history);
    const build = inspectRecord(record, { cwd: io.cwd, nowMs: io.now(), failed });
    if (render !== undefined) io.stdout.print(`${render(build)}\n`);
    else if (format === "json") io.stdout.print(`${JSON.stringify(withoutEmpty(build), undefined, 2)}\n`);
    else io.stdout.print(formatInspected(build, { showRef: args[0] !== record.ref, sources: formatSources(record) }));
  },
});

/** Name and last lines of the step that failed. */
async function readFailed(
  { ref, error }: BuildRecord,
  history: History,
): Promise<{ readonly name: string; readonly lines: readonly string[] } | undefined> {
  if (error?.vertex === undefined) return undefined;
  let name = "";
  let text = "";
  for await (const event of history.events(ref)) {
    if (event.type === "warning" || event.vertex !== error.vertex) continue;
    if (event.type === "vertex") ({ name } = event);
    if (event.type !== "log") continue;
    text += Buffer.from(event.data).toString("utf8");
    if (text.length > maxLines * 4096) text = text.slice(-maxLines * 2048);
  }
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  return { name, lines: lines.slice(-maxLines) };
}
