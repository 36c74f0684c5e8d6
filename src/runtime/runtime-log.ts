import { readFileSync } from "node:fs";
import { VarveError } from "../errors/index.ts";
import { hasCode } from "../sys/index.ts";
import type { Runtime } from "./find-runtime.ts";

/** The last complaint in a runtime's log (`--log-format json`: one object a line); undefined when it had none. */
export function readComplaint(logPath: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(logPath, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
  let complaint: string | undefined;
  for (const line of text.split("\n")) complaint = complaintOf(line) ?? complaint;
  return complaint;
}

function complaintOf(line: string): string | undefined {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return undefined; // an unfinished line of a runtime that was killed
  }
  if (typeof entry !== "object" || entry === null || !("msg" in entry) || typeof entry.msg !== "string") return undefined;
  return "level" in entry && (entry.level === "error" || entry.level === "fatal") ? entry.msg : undefined;
}

/**
 * The reason why a step's program could not be started, in the words `exec: "/nope": no such file or directory`; undefined when the
 * complaint is about something else.
 */
export function readStartFailure(complaint: string, program: string): string | undefined {
  const reasons: readonly (readonly [RegExp, string])[] = [
    [/executable file .* not found in \$PATH/i, "executable file not found in $PATH"],
    [/(exec: ".*"|stat |open executable|exec |executable).*no such file or directory/i, "no such file or directory"],
    [/(exec: ".*"|open executable|exec |executable).*(permission denied|is a directory)/i, "permission denied"],
    [/exec format error/i, "exec format error"],
  ];
  const found = reasons.find(([pattern]) => pattern.test(complaint));
  return found === undefined ? undefined : `exec: ${JSON.stringify(program)}: ${found[1]}`;
}

/** The error for a runtime that failed by itself. */
export function runtimeFailure(runtime: Runtime, complaint: string): VarveError {
  if (/seccomp/i.test(complaint) && /not (supported|enabled|compiled)|disabled/i.test(complaint)) {
    return new VarveError("RUNTIME_UNSUPPORTED", `${runtime.name} was built without seccomp, which keeps steps from the kernel`, {
      hint: `install a ${runtime.name} that has it ("${runtime.name} --version" shows it); steps are not run without`,
    });
  }
  const short = complaint.replace(/^runc run failed: /, "").replace(/^(unable to start container process|error during container init): /, "");
  const hint = hintFor(complaint);
  return new VarveError("RUNTIME_FAILED", `${runtime.name} could not run the step: ${short}`, hint === undefined ? {} : { hint });
}

function hintFor(complaint: string): string | undefined {
  if (/cgroup/i.test(complaint)) return "running as root needs cgroups that can be written; as an ordinary user none are needed";
  if (/rlimit/i.test(complaint)) return "ask for lower ulimits";
  return undefined;
}
