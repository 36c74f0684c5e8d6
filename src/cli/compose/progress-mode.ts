import { VarveError } from "../../errors/index.ts";
import type { OutputStream } from "../io.ts";
import type { ComposeCall } from "./open-project.ts";

/** How the steps of an operation are shown: drawn over themselves, as lines, as JSON documents, or not. */
export type StepMode = "tty" | "plain" | "json" | "quiet";

type ModeCall = Pick<ComposeCall, "composeFlags" | "io">;

const modes = ["auto", "tty", "plain", "json", "quiet", "none"] as const;

/** What `--progress` and `--ansi`, COMPOSE_PROGRESS and COMPOSE_ANSI ask for on this terminal. Fails with USAGE. (Compose, "cmd") */
export function readStepMode(call: ModeCall): StepMode {
  const { composeFlags, io } = call;
  const ansi = readAnsi(call);
  const text = composeFlags?.progress ?? (io.env["COMPOSE_PROGRESS"] || "auto");
  const mode = modes.find((name) => name === text);
  if (mode === undefined)
    throw new VarveError("USAGE", `unsupported --progress value "${text}"`, { hint: `there are ${modes.join(", ")}` });
  if (mode === "tty" && ansi === "never")
    throw new VarveError("USAGE", "can't use --progress tty while ANSI support is disabled");
  if (mode === "plain" && ansi === "always")
    throw new VarveError("USAGE", "can't use --progress plain while ANSI support is forced");
  if (mode === "none") return "quiet";
  if (mode !== "auto") return mode;
  if (ansi === "always") return "tty";
  return ansi === "auto" && stepOutput(io).isTerminal && io.env["TERM"] !== "dumb" ? "tty" : "plain";
}

/** Where steps are shown: stderr, or stdout with COMPOSE_STATUS_STDOUT. */
export function stepOutput(io: ModeCall["io"]): OutputStream {
  return /^(?:1|true)$/i.test(io.env["COMPOSE_STATUS_STDOUT"] ?? "") ? io.stdout : io.stderr;
}

/** Whether steps have colours: not with NO_COLOR or `--ansi never`. */
export function hasStepColors(call: ModeCall): boolean {
  return (call.io.env["NO_COLOR"] ?? "") === "" && readAnsi(call) !== "never" && readStepMode(call) === "tty";
}

/** Whether what goes to stdout has colours. */
export function hasLogColors(call: ModeCall): boolean {
  const ansi = readAnsi(call);
  if ((call.io.env["NO_COLOR"] ?? "") !== "" || ansi === "never") return false;
  return ansi === "always" || call.io.stdout.isTerminal;
}

function readAnsi({ composeFlags, io }: ModeCall): "never" | "always" | "auto" {
  const text = composeFlags?.ansi ?? (io.env["COMPOSE_ANSI"] || "auto");
  if (text === "never" || text === "always" || text === "auto") return text;
  throw new VarveError("USAGE", `unsupported --ansi value "${text}"`, { hint: "there are never, always and auto" });
}
