import { VarveError } from "../../errors/index.ts";
import { packageVersion } from "../../package/index.ts";
import type { ProgressMode } from "../build/options.ts";
import type { Io } from "../io.ts";
import { useColors } from "../print-error.ts";
import { readProgressColors } from "./colors.ts";
import { createPlainProgress } from "./plain.ts";
import type { Progress } from "./progress.ts";
import { createNoProgress, createQuietProgress } from "./quiet.ts";
import { createRawJsonProgress } from "./rawjson.ts";
import { createTtyProgress } from "./tty.ts";

/** The reader that a mode asks for, with what the environment says about it (U06). */
export function createProgress(
  mode: ProgressMode,
  io: Pick<Io, "env" | "stderr" | "now">,
  { isReplay = false }: { readonly isReplay?: boolean } = {},
): Progress {
  const { env, stderr } = io;
  const write = stderr.print;
  switch (mode) {
    case "plain":
      return createPlainProgress({
        write,
        ...(isReplay ? {} : { description: `building with varve ${packageVersion()}` }),
        truncateNames: env["PROGRESS_NO_TRUNC"] === "0",
      });
    case "tty":
      return createTtyProgress({
        write,
        size: stderr.size ?? (() => ({ columns: 80, rows: 24 })),
        colors: useColors(io) ? readProgressColors(env["BUILDKIT_COLORS"]) : undefined,
        description: "varve",
        logLines: readLogLines(env["BUILDKIT_TTY_LOG_LINES"]),
        startMs: io.now(),
      });
    case "rawjson":
      return createRawJsonProgress({ write });
    case "quiet":
      return createQuietProgress({ write });
    case "none":
      return createNoProgress();
  }
}

/** `BUILDKIT_TTY_LOG_LINES`: how many lines of a running command's output are shown; default 6. */
function readLogLines(text: string | undefined): number {
  if (text === undefined || text === "") return 6;
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new VarveError("USAGE", `BUILDKIT_TTY_LOG_LINES=${text}: it is not a number of lines`);
}
