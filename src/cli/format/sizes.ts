import { VarveError } from "../../errors/index.ts";
import { parseSize } from "../../units/index.ts";

const decimalUnits = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/**
 * A size as Docker's tables show it: decimal units, three significant digits (HumanSize: four) without trailing zeros, e.g. `7.05MB`,
 * `12kB`. (go-units, HumanSizeWithPrecision; where that would say `1e+03kB` this says `1MB`.)
 */
export function formatSize(bytes: number, digits = 3): string {
  let unit = 0;
  let value = bytes;
  while (Number(value.toPrecision(digits)) >= 1000 && unit < decimalUnits.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(digits))}${decimalUnits[unit]}`;
}

const binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** go-units' BytesSize: binary units, four significant digits. */
export function formatBinarySize(bytes: number): string {
  let [unit, value] = [0, bytes];
  while (value >= 1024 && unit < binaryUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toPrecision(4))}${binaryUnits[unit]}`;
}

/** A size as BuildKit's progress shows it: whole bytes below 1000, else two decimals, e.g. `123B`, `1.23kB`. (tonistiigi/units, `%.2f`) */
export function formatTransferSize(bytes: number): string {
  let unit = 0;
  let base = 1;
  while (bytes >= base * 1000 && unit < decimalUnits.length - 1) {
    base *= 1000;
    unit++;
  }
  return unit === 0 ? `${Math.trunc(bytes)}B` : `${(bytes / base).toFixed(2)}${decimalUnits[unit]}`;
}

/** Bytes that a flag like `--shm-size=64m` means; a text that is no size is a wrong use of `flag`. */
export function parseSizeFlag(text: string, flag: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined) {
    throw new VarveError("USAGE", `invalid argument "${text}" for "${flag}" flag: it is not a size`, {
      hint: "a number with b, k, m or g, e.g. 64m",
    });
  }
  return bytes;
}
