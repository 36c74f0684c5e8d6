import { VarveError } from "../../errors/index.ts";
import { splitCsv } from "../format/csv.ts";
import type { BuildCall } from "./options.ts";

/** What is asked about a build instead of building it. */
export interface CallFunction {
  readonly name: "check" | "outline" | "targets" | "subrequests.describe";
  readonly format: "text" | "json";
  /** Warnings do not fail the command. */
  readonly ignoresStatus: boolean;
}

const names: Readonly<Record<string, CallFunction["name"]>> = {
  check: "check",
  lint: "check",
  outline: "outline",
  targets: "targets",
  "subrequests.describe": "subrequests.describe",
};

/** `--call`, with `--check` and the old `--print` as other ways to say it (B09); undefined to build. */
export function readCallFunction({ flags }: Pick<BuildCall, "flags">): CallFunction | undefined {
  const text = flags.check === true ? "check" : (flags.call ?? flags.print ?? "");
  if (text === "") return undefined;
  let name: string | undefined;
  let format: CallFunction["format"] = "text";
  let ignoresStatus = false;
  for (const field of splitCsv(text, "--call")) {
    const equals = field.indexOf("=");
    const [key, value] = equals < 0 ? [field, undefined] : [field.slice(0, equals), field.slice(equals + 1)];
    if (value === undefined) {
      if (name !== undefined) throw new VarveError("USAGE", `invalid print value: ${text}`);
      name = key;
    } else if (key === "format") {
      if (value !== "json" && value !== "text")
        throw new VarveError("USAGE", `invalid print format: ${value}`, { hint: "there are json and text" });
      format = value;
    } else if (key === "ignorestatus") ignoresStatus = readBoolean(value);
    else throw new VarveError("USAGE", `invalid print field: ${field}`, { hint: "there are format and ignorestatus" });
  }
  if (name === "build") return undefined;
  const known = name !== undefined && Object.hasOwn(names, name) ? names[name] : undefined;
  if (known === undefined) {
    throw new VarveError("USAGE", `unsupported request ${name ?? text}`, {
      hint: "there are build, check, outline, targets and subrequests.describe",
    });
  }
  return { name: known, format, ignoresStatus };
}

function readBoolean(text: string): boolean {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw new VarveError("USAGE", `invalid ignorestatus print value: ${text}`);
}
