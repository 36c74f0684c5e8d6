import { formatGoValue } from "./go-value.ts";

/** Go's fmt.Sprintf with the verbs that templates use: `v s d q t x X f c` with flags, width and precision. */
export function formatPrintf(format: string, values: readonly unknown[]): string {
  let next = 0;
  const written = format.replace(
    /%(?:%|([-+ 0]*)(\d*)(?:\.(\d+))?([a-zA-Z]))/g,
    (whole, flags = "", width = "", precision, verb) => {
      if (whole === "%%") return "%";
      if (next >= values.length) return `%!${verb}(MISSING)`;
      const value = values[next++];
      return pad(
        formatVerb(String(verb), value, precision as string | undefined),
        String(flags),
        Number(width),
        typeof value === "number",
      );
    },
  );
  const extra = values.slice(next).map((value) => `${goType(value)}=${formatGoValue(value)}`);
  return extra.length === 0 ? written : `${written}%!(EXTRA ${extra.join(", ")})`;
}

function formatVerb(verb: string, value: unknown, precision: string | undefined): string {
  const wrong = `%!${verb}(${goType(value)}=${formatGoValue(value)})`;
  switch (verb) {
    case "v":
      return formatGoValue(value);
    case "s": {
      if (typeof value === "number" || typeof value === "boolean") return wrong;
      const text = formatGoValue(value);
      return precision === undefined ? text : Array.from(text).slice(0, Number(precision)).join("");
    }
    case "q":
      return typeof value === "string" ? JSON.stringify(value) : wrong;
    case "t":
      return typeof value === "boolean" ? String(value) : wrong;
    case "d":
      return typeof value === "number" ? String(Math.trunc(value)) : wrong;
    case "f":
      return typeof value === "number" ? value.toFixed(precision === undefined ? 6 : Number(precision)) : wrong;
    case "c":
      return typeof value === "number" ? String.fromCodePoint(value) : wrong;
    case "x":
    case "X": {
      const hex = typeof value === "number" ? value.toString(16) : Buffer.from(formatGoValue(value)).toString("hex");
      return verb === "X" ? hex.toUpperCase() : hex;
    }
    default:
      return wrong;
  }
}

function pad(text: string, flags: string, width: number, isNumber: boolean): string {
  const signed = flags.includes("+") && isNumber && !text.startsWith("-") ? `+${text}` : text;
  if (flags.includes("-")) return signed.padEnd(width);
  if (!flags.includes("0") || !isNumber) return signed.padStart(width);
  const [, sign = "", digits = ""] = /^([-+]?)(.*)$/.exec(signed) ?? [];
  return `${sign}${digits.padStart(width - sign.length, "0")}`;
}

function goType(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  return { string: "string", number: "int", boolean: "bool" }[typeof value as string] ?? "map";
}
