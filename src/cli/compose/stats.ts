import { defineCommand } from "../command.ts";
import { showStats, statsFlags } from "../commands/stats.ts";
import { openContext } from "./open-context.ts";
import { readProjectOrName } from "./open-project.ts";

export const composeStats = defineCommand({
  usage: "[OPTIONS] [SERVICE]",
  flags: statsFlags,
  args: { min: 0, max: 1 },
  failureExitCode: 1,
  async run(call) {
    const { flags, args, io } = call;
    const context = await openContext(call, await readProjectOrName(call));
    const { observeProject, ofServices } = await import("../../compose/index.ts");
    await showStats(context.engine.containers, {
      flags,
      io,
      async choose() {
        return ofServices(await observeProject(context), args, { oneOff: true })
          .filter(({ container }) => flags.all === true || container.state.pid !== undefined)
          .map(({ container, id }) => ({ found: container, asked: id }));
      },
    });
  },
});
