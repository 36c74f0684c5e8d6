import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { createProgress } from "../progress/create-progress.ts";
import { watch } from "../progress/watch.ts";

/** Text that is held before it is written; a log may be larger than memory. */
const maxWaiting = 64 * 1024;

export const printBuildLogs = defineCommand({
  usage: "[OPTIONS] [REF]",
  flags: {
    builder: { kind: "string", help: "Builder to work with (default: BUILDX_BUILDER, or with buildx the one in use)" },
    progress: { kind: "string", help: 'Set type of progress output ("plain", "rawjson", "tty"; default "plain")' },
  },
  args: { min: 0, max: 1 },
  async run({ flags, args, io, openStore }) {
    const mode = readMode(flags.progress);
    if (mode === "tty" && !io.stderr.isTerminal)
      throw new VarveError("USAGE", "progress=tty needs a terminal as standard error", { hint: "use --progress=plain" });
    const { history } = await openStore();
    const record = await history.get(args[0]);
    const { signal } = io;
    if (record.status === "running") {
      await watch(createProgress(mode, io, { isReplay: true }), io, async (onEvent) => {
        for await (const event of history.events(record.ref, { follow: true, signal })) onEvent(event);
      });
      return;
    }
    // What was printed while it was built is printed again, at once; the times are those of then.
    let text = "";
    const stderr = { ...io.stderr, print: (part: string) => void (text += part) };
    const progress = createProgress(mode, { env: io.env, stderr, now: () => record.createdMs }, { isReplay: true });
    let lastMs = record.createdMs;
    for await (const event of history.events(record.ref, { signal })) {
      lastMs = Math.max(lastMs, event.time);
      progress.take(event);
      if (text.length < maxWaiting) continue;
      await io.stderr.write(Buffer.from(text));
      text = "";
    }
    progress.end(lastMs);
    if (text !== "") await io.stderr.write(Buffer.from(text));
  },
});

function readMode(text = "plain"): "plain" | "rawjson" | "tty" {
  if (text === "auto" || text === "") return "plain";
  if (text === "plain" || text === "rawjson" || text === "tty") return text;
  throw new VarveError("USAGE", `invalid progress mode ${text}`, { hint: "there are plain, rawjson and tty" });
}
