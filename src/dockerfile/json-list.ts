import { skipSpace } from "./white-space.ts";

/**
 * Reads exec form (P08): a JSON array. Undefined when the text is none, which then is shell form; items are given as
 * they are, so that the caller can refuse arrays of other things than texts.
 */
export function parseJsonList(text: string): readonly unknown[] | undefined {
  const start = skipSpace(text);
  if (text[start] !== "[") return undefined;
  try {
    const list: unknown = JSON.parse(text.slice(start));
    return Array.isArray(list) ? list.map((item: unknown) => (typeof item === "string" ? item.toWellFormed() : item)) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
