import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { readLogTime } from "../containers/log-time.ts";
import { optional } from "../store.ts";
import { readNumber } from "./flag-values.ts";
import { openContext } from "./open-context.ts";
import { readProjectOrName } from "./open-project.ts";
import { createLogPrinter } from "./print-logs.ts";
import { hasLogColors } from "./progress-mode.ts";

export const composeLogs = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  flags: {
    follow: { kind: "bool", short: "f", help: "Follow log output" },
    index: { kind: "string", help: "index of the container if service has multiple replicas" },
    "no-color": { kind: "bool", help: "Produce monochrome output" },
    "no-log-prefix": { kind: "bool", help: "Don't print prefix in logs" },
    since: {
      kind: "string",
      help: 'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    },
    tail: {
      kind: "string",
      short: "n",
      help: 'Number of lines to show from the end of the logs for each container (default "all")',
    },
    timestamps: { kind: "bool", short: "t", help: "Show timestamps" },
    until: {
      kind: "string",
      help: 'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    },
  },
  args: { min: 0, max: Infinity },
  failureExitCode: 1,
  async run(call) {
    const { flags, args, io } = call;
    const time = (flag: "since" | "until"): number | undefined => {
      const text = flags[flag];
      return text === undefined || text === "" ? undefined : readLogTime(flag, text, io.now());
    };
    const tail = flags.tail === "all" ? undefined : readNumber(flags.tail, "-n, --tail");
    const index = readNumber(flags.index, "--index");
    const options = {
      follow: flags.follow === true,
      signal: io.signal,
      ...optional("tail", tail),
      ...optional("sinceMs", time("since")),
      ...optional("untilMs", time("until")),
    };
    const project = await readProjectOrName(call);
    const compose = await import("../../compose/index.ts");
    const context = await openContext(call, project);
    const known = compose.allServices(project);
    for (const name of args) if (known[name] === undefined) throw new VarveError("SERVICE_NOT_FOUND", `no such service: ${name}`);
    const containers = compose
      .ofServices(await compose.observeProject(context), args)
      .filter(({ number }) => index === undefined || number === index);
    const printer = createLogPrinter({
      print: (stream, text) => (stream === 1 ? io.stdout : io.stderr).print(text),
      names: containers.map(compose.shortName),
      prefix: flags["no-log-prefix"] !== true,
      colors: flags["no-color"] !== true && hasLogColors(call),
      timestamps: flags.timestamps === true,
    });
    const follow = { ...options, onLine: printer.line, onExit: printer.exit };
    if (options.follow) {
      const follower = compose.followLogs(context.engine, follow);
      for (const container of containers) follower.add(container);
      return await follower.done();
    }
    // one after the other: the same order each time
    for (const container of containers) {
      const follower = compose.followLogs(context.engine, follow);
      follower.add(container);
      await follower.done();
    }
  },
});
