import type { LogLine } from "../../containers/index.ts";
import { defineCommand } from "../command.ts";
import { readLogTime } from "../containers/log-time.ts";
import { optional } from "../store.ts";

export const logs = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  flags: {
    details: { kind: "bool", help: "Show extra details provided to logs; there are none" },
    follow: { kind: "bool", short: "f", help: "Follow log output" },
    since: {
      kind: "string",
      help: 'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    },
    tail: { kind: "string", short: "n", help: 'Number of lines to show from the end of the logs (default "all")' },
    timestamps: { kind: "bool", short: "t", help: "Show timestamps" },
    until: {
      kind: "string",
      help: 'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    },
  },
  args: { min: 1, max: 1 },
  failureExitCode: 1,
  async run({ flags, args: [name = ""], io, openStore }) {
    const time = (flag: "since" | "until"): number | undefined => {
      const text = flags[flag];
      return text === undefined || text === "" ? undefined : readLogTime(flag, text, io.now());
    };
    const options = {
      follow: flags.follow === true,
      // As Docker takes it: what is no number is all.
      ...optional("tail", /^\d+$/.test(flags.tail ?? "") ? Number(flags.tail) : undefined),
      ...optional("sinceMs", time("since")),
      ...optional("untilMs", time("until")),
      signal: io.signal,
    };
    const { containers } = await openStore();
    // Docker writes what a terminal wrote to stdout alone, which the log of a terminal has anyway.
    for await (const line of containers.logs(name, options)) {
      const bytes = flags.timestamps === true ? withTimestamp(line) : line.data;
      await (line.stream === 1 ? io.stdout : io.stderr).write(bytes);
    }
  },
});

function withTimestamp({ timestamp, data }: LogLine): Uint8Array {
  return Buffer.concat([Buffer.from(`${timestamp} `), data]);
}
