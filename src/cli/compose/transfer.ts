import { defineCommand } from "../command.ts";
import { openContext } from "./open-context.ts";
import { readProject } from "./open-project.ts";

export const composePull = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  flags: {
    "ignore-buildable": { kind: "bool", help: "Ignore images that can be built" },
    "ignore-pull-failures": { kind: "bool", help: "Pull what it can and ignores images with pull failures" },
    "include-deps": { kind: "bool", help: "Also pull services declared as dependencies" },
    policy: { kind: "string", help: 'Apply pull policy ("missing"|"always")' },
    quiet: { kind: "bool", short: "q", help: "Pull without printing progress information" },
  },
  args: { min: 0, max: Infinity },
  failureExitCode: 1,
  async run(call) {
    const { flags, args } = call;
    const project = await readProject(call, args);
    const { pullServices } = await import("../../compose/index.ts");
    const context = await openContext(call, project, { title: "Pulling" });
    await pullServices(flags.quiet === true ? { ...context, report: () => undefined } : context, {
      services: args,
      alone: flags["include-deps"] !== true,
      ignoreBuildable: flags["ignore-buildable"] === true,
      ignoreFailures: flags["ignore-pull-failures"] === true,
      onlyMissing: flags.policy === "missing",
    });
  },
});

export const composePush = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  flags: {
    "ignore-push-failures": { kind: "bool", help: "Push what it can and ignores images with push failures" },
    "include-deps": { kind: "bool", help: "Also push images of services declared as dependencies" },
    quiet: { kind: "bool", short: "q", help: "Push without printing progress information" },
  },
  args: { min: 0, max: Infinity },
  failureExitCode: 1,
  async run(call) {
    const { flags, args } = call;
    const project = await readProject(call, args);
    const { pushServices } = await import("../../compose/index.ts");
    const context = await openContext(call, project, { title: "Pushing" });
    await pushServices(flags.quiet === true ? { ...context, report: () => undefined } : context, {
      services: args,
      alone: flags["include-deps"] !== true,
      ignoreFailures: flags["ignore-push-failures"] === true,
    });
  },
});
