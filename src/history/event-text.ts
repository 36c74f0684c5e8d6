import { VarveError } from "../errors/index.ts";
import type { BuildEvent } from "../events/index.ts";

/**
 * An event as one line of `events.jsonl`: its JSON. A log's data is `text` where it is UTF-8, so that the file can be
 * searched, else `base64`.
 */
export function encodeEvent(event: BuildEvent): string {
  if (event.type !== "log") return `${JSON.stringify(event)}\n`;
  const { data, ...rest } = event;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const text = bytes.toString("utf8");
  // a character that is cut at the end of the piece does not survive the way back
  const isText = Buffer.byteLength(text) === bytes.length && Buffer.from(text).equals(bytes);
  return `${JSON.stringify(isText ? { ...rest, text } : { ...rest, base64: bytes.toString("base64") })}\n`;
}

/** Reads a line back. Fails with HISTORY_DAMAGED for one that {@link encodeEvent} did not write. */
export function decodeEvent(line: string): BuildEvent {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw damaged(cause);
  }
  if (typeof value !== "object" || value === null || !("type" in value)) throw damaged();
  if (value.type !== "log") return value as BuildEvent;
  const { text, base64, ...rest } = value as { readonly text?: string; readonly base64?: string; readonly type: "log" };
  const data = text === undefined ? Buffer.from(base64 ?? "", "base64") : Buffer.from(text);
  return { ...rest, data: new Uint8Array(data) } as BuildEvent;
}

function damaged(cause?: unknown): VarveError {
  return new VarveError(
    "HISTORY_DAMAGED",
    "the log of a build has a line that is no event",
    cause === undefined ? {} : { cause },
  );
}
