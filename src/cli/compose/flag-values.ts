import { VarveError } from "../../errors/index.ts";

/** `--scale SERVICE=N`, repeated. Fails with USAGE. */
export function readScale(values: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    values.map((value) => {
      const match = /^([^=]+)=(\d+)$/.exec(value);
      if (match === null) throw new VarveError("USAGE", `invalid --scale option "${value}". Should be SERVICE=NUM`);
      return [match[1] ?? "", Number(match[2])];
    }),
  );
}

/** A whole number of seconds and the like; undefined where the flag was not given. Fails with USAGE. */
export function readNumber(value: string | undefined, flag: string): number | undefined {
  if (value === undefined || value === "") return undefined;
  if (/^-?\d+$/.test(value)) return Number(value);
  throw new VarveError("USAGE", `invalid argument "${value}" for "${flag}" flag: it is not a number`);
}

/** `-t, --timeout`, as the options of the operations take it. */
export function timeoutOf(value: string | undefined): { readonly timeoutS?: number } {
  const timeoutS = readNumber(value, "-t, --timeout");
  return timeoutS === undefined ? {} : { timeoutS };
}

/** Whether a variable of the environment says yes. */
export function isTrue(text: string | undefined): boolean {
  return /^(?:1|t|true|y|yes)$/i.test(text ?? "");
}
