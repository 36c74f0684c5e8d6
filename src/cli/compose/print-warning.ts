import type { ProjectWarning } from "../../compose-file/index.ts";
import type { Io } from "../io.ts";

/** Prints what Docker Compose would warn of in its words: a log line of logrus, short on a terminal. */
export function printWarning({ stderr, now }: Pick<Io, "stderr" | "now">, { message }: Pick<ProjectWarning, "message">): void {
  const time = new Date(now()).toISOString().replace(/\.\d+Z$/, "Z");
  stderr.print(stderr.isTerminal ? `WARN[0000] ${message} \n` : `time="${time}" level=warning msg=${JSON.stringify(message)}\n`);
}
