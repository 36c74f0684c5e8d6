import type { ProjectWarning } from "../../compose-file/index.ts";
import type { ComposeCall } from "./open-project.ts";
import { hasStepColors, readStepMode } from "./progress-mode.ts";

type WarningCall = Pick<ComposeCall, "composeFlags" | "io">;

/** What Docker Compose would warn of, in its words: a log line of logrus, short on a terminal, and JSON where steps are. */
export function warningText(call: WarningCall, message: string): string {
  const { stderr, now } = call.io;
  const time = new Date(now()).toISOString().replace(/\.\d+Z$/, "Z");
  if (readStepMode(call) === "json") return `${JSON.stringify({ level: "warning", msg: message, time })}\n`;
  if (!stderr.isTerminal) return `time="${time}" level=warning msg=${JSON.stringify(message)}\n`;
  return `${hasStepColors(call) ? "\u001b[33mWARN\u001b[0m" : "WARN"}[0000] ${message} \n`;
}

/** Prints a warning on stderr. */
export function printWarning(call: WarningCall, { message }: Pick<ProjectWarning, "message">): void {
  call.io.stderr.print(warningText(call, message));
}
