import { VarveError } from "../../errors/index.ts";

/** The colours of the terminal's progress, as SGR parameters. */
export interface ProgressColors {
  readonly run: string;
  readonly cancel: string;
  readonly error: string;
  readonly warning: string;
}

const defaults: ProgressColors = { run: "34", cancel: "33", error: "31", warning: "33" };

const names: Readonly<Record<string, string>> = {
  black: "30",
  red: "31",
  green: "32",
  yellow: "33",
  blue: "34",
  magenta: "35",
  cyan: "36",
  white: "37",
  lightblack: "90",
  lightred: "91",
  lightgreen: "92",
  lightyellow: "93",
  lightblue: "94",
  lightmagenta: "95",
  lightcyan: "96",
  lightwhite: "97",
};

/**
 * Reads `BUILDKIT_COLORS` (U06): `run=green:warning=yellow:error=red:cancel=255,165,0`, names or three numbers below 256.
 * What cannot be read is an error that names it.
 */
export function readProgressColors(text: string | undefined): ProgressColors {
  if (text === undefined || text === "") return defaults;
  const colors: Record<string, string> = { ...defaults };
  for (const field of text.split(":")) {
    const [key = "", value = ""] = field.split("=", 2);
    if (!Object.hasOwn(defaults, key)) throw invalid(text, `there is no colour "${key}"`);
    colors[key] = readColor(value) ?? fail(text, value);
  }
  return { ...defaults, ...colors };
}

function readColor(value: string): string | undefined {
  const name = value.toLowerCase();
  if (Object.hasOwn(names, name)) return names[name];
  const numbers = value.split(",").map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  return numbers.length === 3 && numbers.every((number) => number < 256) ? `38;2;${numbers.join(";")}` : undefined;
}

function fail(text: string, value: string): never {
  throw invalid(text, `"${value}" is not a colour`);
}

function invalid(text: string, reason: string): VarveError {
  return new VarveError("USAGE", `BUILDKIT_COLORS=${text}: ${reason}`, {
    hint: "for example run=green:warning=yellow:error=red:cancel=255,165,0",
  });
}
