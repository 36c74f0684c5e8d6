import { VarveError } from "../../errors/index.ts";
import type { Report } from "../../compose/index.ts";
import type { ComposeCall } from "./open-project.ts";

const modes = ["auto", "tty", "plain", "json", "rawjson", "quiet"] as const;
type Mode = (typeof modes)[number];

/** `--progress` of compose, or COMPOSE_PROGRESS. Fails with USAGE. */
export function readProgress({ composeFlags, io }: Pick<ComposeCall, "composeFlags" | "io">): Mode {
  const text = composeFlags?.progress ?? (io.env["COMPOSE_PROGRESS"] || "auto");
  const mode = modes.find((name) => name === text);
  if (mode === undefined)
    throw new VarveError("USAGE", `unsupported --progress value "${text}"`, { hint: `there are ${modes.join(", ")}` });
  return mode;
}

/** Each step is a line of stderr: ` Container app-web-1  Started`, or an object with `--progress=json`. */
export function stepPrinter(call: Pick<ComposeCall, "composeFlags" | "io">): Report {
  const mode = readProgress(call);
  const out = call.io.env["COMPOSE_STATUS_STDOUT"] === "1" ? call.io.stdout : call.io.stderr;
  if (mode === "quiet") return () => undefined;
  if (mode === "json")
    return ({ subject, status, failed = false }) =>
      out.print(`${JSON.stringify({ ...(failed ? { level: "error" } : {}), id: subject, status })}\n`);
  return ({ subject, status }) => out.print(` ${subject}  ${status}\n`);
}
