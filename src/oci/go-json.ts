/**
 * The text that Go's `encoding/json` prints for a value: members in the order they have here, `<`, `>`, `&`, U+2028 and
 * U+2029 escaped, lone surrogates replaced. Digests of image documents depend on it. A `Map` prints as an object in
 * the map's order, which plain objects cannot keep for keys like "10". `indent` counts blanks; 0 is compact.
 */
export function encodeGoJson(value: unknown, options: { indent?: number } = {}): string {
  const { indent = 0 } = options;
  const [colon, step] = indent === 0 ? [":", ""] : [": ", " ".repeat(indent)];
  const wrap = (open: string, parts: readonly string[], close: string, lead: string): string => {
    if (parts.length === 0) return open + close;
    if (indent === 0) return open + parts.join(",") + close;
    return `${open}\n${lead}${step}${parts.join(`,\n${lead}${step}`)}\n${lead}${close}`;
  };
  const encode = (part: unknown, lead: string): string => {
    if (typeof part === "string") return encodeText(part);
    if (Array.isArray(part))
      return wrap(
        "[",
        part.map((entry) => encode(entry ?? null, lead + step)),
        "]",
        lead,
      );
    if (typeof part === "object" && part !== null) {
      const entries = part instanceof Map ? [...(part as Map<string, unknown>)] : Object.entries(part);
      const members = entries.filter(([, member]) => member !== undefined);
      return wrap(
        "{",
        members.map(([key, member]) => encodeText(key) + colon + encode(member, lead + step)),
        "}",
        lead,
      );
    }
    if (part === null || typeof part === "boolean" || (typeof part === "number" && Number.isFinite(part))) return String(part);
    throw new TypeError(`a ${typeof part} has no JSON form`);
  };
  return encode(value, "");
}

function encodeText(text: string): string {
  const plain = JSON.stringify(text.toWellFormed());
  return plain.replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
