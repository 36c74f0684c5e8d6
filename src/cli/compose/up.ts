import { defineCommand } from "../command.ts";
import { readNumber } from "./flag-values.ts";
import { isDryRun, openContext } from "./open-context.ts";
import { readProject } from "./open-project.ts";
import { confirmRemoteProject } from "./remote-files.ts";
import { runAttached } from "./run-attached.ts";
import { convergeFlags, readConvergeOptions, readUpOptions, upFlags } from "./up-flags.ts";

export const composeUp = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  flags: upFlags,
  args: { min: 0, max: Infinity },
  failureExitCode: 1,
  async run(call) {
    const { flags, args: services, io, composeFlags } = call;
    const options = readUpOptions(flags, { io, services, allResources: composeFlags?.["all-resources"] === true });
    const project = await readProject(call, services);
    await confirmRemoteProject(call, project, { yes: flags.yes === true });
    const { up } = await import("../../compose/index.ts");
    const isAttached = flags.detach !== true && flags.wait !== true && flags["no-start"] !== true;
    if (isAttached && !isDryRun(call)) return await runAttached(call, project, options);
    const context = await openContext(call, project, {
      quietBuild: flags["quiet-build"] === true,
      quietPull: flags["quiet-pull"] === true,
    });
    const timeoutS = readNumber(flags["wait-timeout"], "--wait-timeout");
    await up(context, {
      ...options,
      noStart: flags["no-start"] === true,
      ...(flags.wait === true ? { wait: timeoutS === undefined ? {} : { timeoutS } } : {}),
    });
    if (isAttached) io.stdout.print("end of 'compose up' output, interactive run is not supported in dry-run mode\n");
    return 0;
  },
});

export const composeCreate = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  flags: convergeFlags,
  args: { min: 0, max: Infinity },
  failureExitCode: 1,
  async run(call) {
    const { flags, args: services, io, composeFlags } = call;
    const options = readConvergeOptions(flags, { io, services, allResources: composeFlags?.["all-resources"] === true });
    const { converge } = await import("../../compose/index.ts");
    const project = await readProject(call, services);
    await converge(await openContext(call, project, { title: "Creating", quietPull: flags["quiet-pull"] === true }), options);
  },
});
