import { readFileSync } from "node:fs";
import { VarveError } from "../errors/index.ts";
import { hasCode } from "../sys/index.ts";
import type { Runtime, RuntimeName } from "./find-runtime.ts";

/** How a runtime is told to write its log: crun's JSON would also reach the step's output, runc's text has no levels. */
export const logFormats: Readonly<Record<RuntimeName, string>> = { crun: "text", runc: "json" };

/** The last complaint in a runtime's log; undefined when it had none. */
export function readComplaint(logPath: string, runtime: RuntimeName): string | undefined {
  let text: string;
  try {
    text = readFileSync(logPath, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => (runtime === "crun" ? line : complaintOf(line))).findLast((line) => line !== undefined);
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
  if (!/exec(utable)?\b/i.test(complaint)) return undefined;
  const isPath = program.includes("/");
  const reasons: readonly (readonly [RegExp, string])[] = [
    [/executable file (.* )?not found in \$PATH/i, isPath ? "no such file or directory" : "executable file not found in $PATH"],
    [/(exec: ".*": (stat .*)?|open executable: )no such file or directory/i, "no such file or directory"],
    [/(exec: ".*": |open executable: )(permission denied|is a directory|operation not permitted)/i, "permission denied"],
  ];
  const found = reasons.find(([pattern]) => pattern.test(complaint));
  return found === undefined ? undefined : startFailure(program, found[1]);
}

/** The same, from a step's whole output on stream 2: when the last call before the program fails, the runtimes write there. */
export function readLateStartFailure(errors: string, program: string): string | undefined {
  const reason =
    /^exec (?:container process (?:\(.*\) )?`.*`|\S+): (exec format error|no such file or directory|permission denied)\n$/i.exec(
      errors,
    )?.[1];
  return reason === undefined ? undefined : startFailure(program, reason.toLowerCase());
}

function startFailure(program: string, reason: string): string {
  return `exec: ${JSON.stringify(program)}: ${reason}`;
}

/** The error for a runtime that failed by itself. */
export function runtimeFailure(runtime: Runtime, complaint: string): VarveError {
  if (/seccomp/i.test(complaint) && /not (supported|enabled|compiled)|disabled/i.test(complaint)) {
    return new VarveError("RUNTIME_UNSUPPORTED", `${runtime.name} was built without seccomp, which keeps steps from the kernel`, {
      hint: `install a ${runtime.name} that has it ("${runtime.name} --version" shows it); steps are not run without`,
    });
  }
  const short = complaint
    .replace(/^runc run failed: /, "")
    .replace(/^(unable to start container process|error during container init): /, "");
  const hint = hintFor(complaint);
  return new VarveError("RUNTIME_FAILED", `${runtime.name} could not run the step: ${short}`, hint === undefined ? {} : { hint });
}

function hintFor(complaint: string): string | undefined {
  if (/cgroup/i.test(complaint)) return "running as root needs cgroups that can be written; as an ordinary user none are needed";
  if (/rlimit/i.test(complaint)) return "ask for lower ulimits";
  return undefined;
}
