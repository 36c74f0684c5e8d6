import { VarveError } from "../../errors/index.ts";
import { parseDuration, parseSize } from "../../units/index.ts";

/** A wrong value of a flag, in the words of Docker's parser (spf13/pflag). `flag` is shown as `-m, --memory`. */
export function wrongValue(value: string, flag: string, why: string): VarveError {
  return new VarveError("USAGE", `invalid argument ${JSON.stringify(value)} for "${flag}" flag: ${why}`);
}

/** Wrong use of flags in Docker's words. */
export function usage(message: string): VarveError {
  return new VarveError("USAGE", message);
}

/** Go's `strconv.ParseInt`, as far as decimal numbers go. */
export function readInteger(value: string | undefined, flag: string): number | undefined {
  if (value === undefined) return undefined;
  return integerOf(value, (why) => wrongValue(value, flag, why));
}

/** The number that a text is; what is none fails with what `fail` makes of Go's words. */
export function integerOf(text: string, fail: (why: string) => VarveError): number {
  if (!/^[+-]?\d+$/.test(text)) throw fail(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw fail(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`);
  return number;
}

/** Bytes (docker/go-units `RAMInBytes`). */
export function readBytes(value: string | undefined, flag: string): number | undefined {
  if (value === undefined) return undefined;
  const bytes = parseSize(value);
  if (bytes === undefined) throw wrongValue(value, flag, `invalid size: '${value}'`);
  return bytes;
}

/** Nanoseconds (Go's `time.ParseDuration`). */
export function readNanoseconds(value: string | undefined, flag: string): number | undefined {
  if (value === undefined) return undefined;
  const nanos = parseDuration(value);
  if (nanos !== undefined) return nanos;
  const quoted = JSON.stringify(value);
  const isBare = /^[+-]?\d+(\.\d*)?$/.test(value);
  throw wrongValue(value, flag, isBare ? `time: missing unit in duration ${quoted}` : `time: invalid duration ${quoted}`);
}

/** `--cpus`: a rational number of CPUs with nine digits at most (Docker's `opts.ParseCPUs`). */
export function readCpus(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const match = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?:\/(\d+))?$/.exec(value);
  if (match === null) throw wrongValue(value, "--cpus", `failed to parse ${value} as a rational number`);
  const nanos = (Number(match[1]) / Number(match[2] ?? 1)) * 1e9;
  if (Math.abs(nanos - Math.round(nanos)) > 1e-5) throw wrongValue(value, "--cpus", "value is too precise");
  return nanos === 0 ? undefined : Math.round(nanos) / 1e9;
}

/** A line of values separated by commas with `"` around those that hold one (encoding/csv). */
export function readCsvLine(text: string, fail: (why: string) => VarveError): readonly string[] {
  const fields: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (;;) {
    const match = pattern.exec(text);
    if (match === null) throw fail(`parse error on line 1, column ${pattern.lastIndex + 1}: bare " in non-quoted-field`);
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] === "") return fields;
  }
}
