import { relative } from "node:path";
import type { BuildOptions, CheckResult, DockerfileText } from "../../engine/index.ts";
import type { EventSink } from "../../events/index.ts";
import { formatError, useColors } from "../print-error.ts";
import type { Progress } from "../progress/progress.ts";
import { watch } from "../progress/watch.ts";
import { checkJson, describeJson, outlineJson, targetsJson } from "./call-json.ts";
import { checkText, describeText, outlineText, targetsText } from "./call-text.ts";
import type { CallFunction } from "./call.ts";
import type { BuildCall } from "./options.ts";

/** Answers a question about a build on stdout; resolves to the exit code: 1 when a check found something (N36). */
export async function runCall(
  asked: CallFunction,
  { call, options, progress }: { readonly call: BuildCall; readonly options: BuildOptions; readonly progress: Progress },
): Promise<number> {
  const { io } = call;
  const isJson = asked.format === "json";
  const ask = async <T>(question: (options: BuildOptions & { readonly onEvent: EventSink }) => Promise<T>): Promise<T> =>
    await watch(progress, io, async (onEvent) => await question({ ...options, onEvent }));
  const print = (text: string): void => io.stdout.print(isJson ? `${text}\n` : text);
  switch (asked.name) {
    case "subrequests.describe":
      print(isJson ? describeJson() : describeText());
      return 0;
    case "outline": {
      const store = await call.openStore();
      const outline = await ask((question) => store.outline(question));
      print(isJson ? outlineJson(outline) : outlineText(outline));
      return 0;
    }
    case "targets": {
      const store = await call.openStore();
      const targets = await ask((question) => store.targets(question));
      print(isJson ? targetsJson(targets) : targetsText(targets));
      return 0;
    }
    case "check": {
      const store = await call.openStore();
      const result = await ask((question) => store.check(question));
      print(isJson ? checkJson(result) : checkText(result.warnings, { file: shownName(result.source, io.cwd) }));
      return reportCheck(result, asked, call);
    }
  }
}

/** What is said beside the warnings, and the exit code: an error counts also where warnings do not. */
function reportCheck({ warnings, error, source }: CheckResult, asked: CallFunction, { io, debug }: BuildCall): number {
  if (error !== undefined) {
    if (error.where !== undefined) error.where = { ...error.where, file: shownName(source, io.cwd) };
    io.stderr.print(
      `${asked.format === "text" && warnings.length > 0 ? "\n" : ""}${formatError(error, { debug, colors: useColors(io) })}`,
    );
    return 1;
  }
  if (warnings.length === 0 && asked.format === "text") io.stdout.print("Check complete, no warnings found.\n");
  return warnings.length > 0 && !asked.ignoresStatus ? 1 : 0;
}

/** The Dockerfile as the user would name it from here. */
function shownName({ file, path }: DockerfileText, cwd: string): string {
  if (path === undefined) return file;
  const shown = relative(cwd, path);
  return shown.startsWith("../") ? path : shown;
}
