import { defineCommand } from "../command.ts";
import { gatherInfo, printInfo } from "../docker/info-facts.ts";
import { compileTemplate } from "../format/template.ts";

export const info = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    format: { kind: "string", short: "f", help: "Print by a template, or as json" },
  },
  args: { min: 0, max: 0 },
  async run({ flags, io, openStore }) {
    const render = flags.format === undefined ? undefined : compileTemplate(flags.format);
    const store = await openStore();
    const facts = await gatherInfo(store, { containers: await store.containers.list(), nowMs: io.now() });
    io.stdout.print(render === undefined ? printInfo(facts, (await store.version()).version) : `${render(facts)}\n`);
  },
});
