import { defineCommand } from "../command.ts";
import { compileTemplate } from "../format/template.ts";

export const version = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    format: { kind: "string", short: "f", help: "Print by a template, or as json" },
  },
  args: { min: 0, max: 0 },
  async run({ flags, io, openStore }) {
    const render = flags.format === undefined ? undefined : compileTemplate(flags.format);
    const info = await (await openStore()).version();
    const facts = {
      Version: info.version,
      NodeVersion: info.node,
      Platform: info.platform,
      Runtime: info.runtime ?? "",
      Root: info.root,
    };
    if (render !== undefined) {
      io.stdout.print(`${render(facts)}\n`);
      return;
    }
    const rows = [
      ["Version:", facts.Version],
      ["Node.js:", facts.NodeVersion],
      ["OS/Arch:", facts.Platform],
      ["Runtime:", facts.Runtime === "" ? "none found (RUN needs crun or runc)" : facts.Runtime],
      ["Store:", facts.Root],
    ];
    io.stdout.print(`Varve:\n${rows.map(([name = "", value = ""]) => ` ${name.padEnd(12)}${value}\n`).join("")}`);
  },
});
