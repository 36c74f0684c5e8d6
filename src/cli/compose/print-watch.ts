import type { ProjectContext, WatchEvent } from "../../compose/index.ts";
import { buildService } from "./build-service.ts";
import type { ComposeCall } from "./open-project.ts";

export interface WatchPrinterOptions {
  /** Prints whole lines; 1 is stdout, 2 is stderr. */
  readonly print: (stream: 1 | 2, text: string) => void;
  /** Before each line that is of the watch itself. */
  readonly prefix?: () => string;
  readonly warn: (message: string) => void;
}

/** Shows what `watch` tells of, in Docker Compose's words. */
export function createWatchPrinter({ print, prefix = () => "", warn }: WatchPrinterOptions): (event: WatchEvent) => void {
  const say = (text: string): void => print(1, `${prefix()}${text}\n`);
  return (event) => {
    switch (event.kind) {
      case "enabled":
        return say("Watch enabled");
      case "syncing":
        return say(`Syncing service "${event.service}" after ${event.paths.length} changes were detected`);
      case "rebuilding":
        return say(`Rebuilding service(s) ${listed(event.services)} after changes were detected...`);
      case "built":
        return say(`service(s) ${listed(event.services)} successfully built`);
      case "restarted":
        return say(`service(s) ${listed(event.services)} restarted`);
      case "output":
        return print(event.stream, Buffer.from(event.chunk).toString());
      case "failed": {
        const message = event.error instanceof Error ? event.error.message : String(event.error);
        if (event.doing === undefined) warn(`Error handling changed files: ${message}`);
        else say(`${failures[event.doing]}. Error: ${message}`);
        return;
      }
      case "begun":
      case "settled":
      case "recreated":
    }
  };
}

const failures = {
  build: "Build failed",
  recreate: "Failed to recreate services after update",
  start: "Application failed to start after update",
} as const;

/** As Go prints a list of strings. */
function listed(names: readonly string[]): string {
  return `[${names.map((name) => JSON.stringify(name)).join(" ")}]`;
}

/** The context whose builds are shown as lines between those of the watch. */
export function watchContext(
  context: ProjectContext,
  call: ComposeCall,
  {
    print,
    prefix = () => "",
    isQuiet,
    signal = call.io.signal,
  }: Pick<WatchPrinterOptions, "print" | "prefix"> & { readonly isQuiet: boolean; readonly signal?: AbortSignal },
): ProjectContext {
  const { io } = call;
  let rest = "";
  const printLines = (text: string): void => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    if (lines.length > 0) print(1, lines.map((line) => `${prefix()}${line}\n`).join(""));
  };
  const lines = {
    isTerminal: false,
    print: printLines,
    write: (chunk: Uint8Array) => Promise.resolve(printLines(Buffer.from(chunk).toString())),
  };
  const own: ComposeCall = { ...call, io: { ...io, stderr: lines, stdout: lines, signal: AbortSignal.any([io.signal, signal]) } };
  return { ...context, build: (build) => buildService(build, own, { project: context.project, isQuiet }) };
}
