/** Longer texts are none; the pattern below is not linear. */
const maxLength = 100;

const binaryUnits = "bkmgtp";

/**
 * A size in bytes such as `64m`, `1.5GiB` or `512` (units of docker/go-units `RAMInBytes`: powers of 1024, any case,
 * `b` or `ib` behind at will); undefined when it is none.
 */
export function parseSize(text: string): number | undefined {
  const match = text.length > maxLength ? null : /^(\+?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?) ?([bkmgtp]?)(ib|b)?$/i.exec(text);
  if (match === null) return undefined;
  const unit = match[2]!.toLowerCase();
  if ((unit === "" || unit === "b") && match[3] !== undefined) return undefined;
  const bytes = Number(match[1]) * 1024 ** Math.max(0, binaryUnits.indexOf(unit || "b"));
  return Number.isSafeInteger(Math.trunc(bytes)) ? Math.trunc(bytes) : undefined;
}
