import type { Scalar } from "./node.ts";

/**
 * What an unquoted word means to the YAML of the field's tools (go-yaml: YAML 1.2's core schema, and 1.1's numbers with a
 * leading 0 and with underscores; `yes`, `on` and the like are texts).
 */
export function resolvePlainScalar(text: string): Scalar {
  switch (text) {
    case "":
    case "~":
    case "null":
    case "Null":
    case "NULL":
      return null;
    case "true":
    case "True":
    case "TRUE":
      return true;
    case "false":
    case "False":
    case "FALSE":
      return false;
  }
  if (!/^[-+.\d]/.test(text)) return text;
  return resolveNumber(text) ?? text;
}

function resolveNumber(text: string): number | undefined {
  const plain = text.replaceAll("_", "");
  const integer = /^([-+]?)(?:0x([\da-f]+)|0b([01]+)|0o?([0-7]+)|(0|[1-9]\d*))$/i.exec(plain);
  if (integer !== null) {
    const [, sign, hex, binary, octal, decimal] = integer;
    const value = Number(
      hex === undefined ? (binary === undefined ? (octal === undefined ? decimal : `0o${octal}`) : `0b${binary}`) : `0x${hex}`,
    );
    // A number that JavaScript cannot hold exactly stays the text that it was
    if (!Number.isSafeInteger(value)) return undefined;
    return sign === "-" ? 0 - value : value;
  }
  if (/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:e[-+]?\d+)?$/i.test(plain)) return Number(plain);
  const special = /^([-+]?)\.inf$/i.exec(plain);
  if (special !== null) return special[1] === "-" ? -Infinity : Infinity;
  return /^\.nan$/i.test(plain) ? Number.NaN : undefined;
}
