import { StringDecoder } from "node:string_decoder";
import { stripVTControlCharacters } from "node:util";

/** Characters that take two columns: East Asian wide and emoji. (Unicode Standard Annex #11) */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const narrowOnly = /^[\u0020-\u02ff]*$/;
const noColumn = /[\p{Mn}\p{Me}\p{Cf}]/u;

function columnsOf(character: string): number {
  if (noColumn.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** How many columns of a terminal a line takes; it holds no control characters. */
export function displayWidth(line: string): number {
  if (narrowOnly.test(line)) return line.length;
  let columns = 0;
  for (const character of line) columns += columnsOf(character);
  return columns;
}

/** The beginning of a line that fits into `columns`. */
export function cutToWidth(line: string, columns: number): string {
  if (narrowOnly.test(line)) return line.slice(0, Math.max(0, columns));
  let text = "";
  let used = 0;
  for (const character of line) {
    used += columnsOf(character);
    if (used > columns) break;
    text += character;
  }
  return text;
}

/** A text on the left and one that ends at `columns`, with at least nothing between. */
export function align(left: string, right: string, columns: number): string {
  return left + " ".repeat(Math.max(0, columns - displayWidth(left) - displayWidth(right))) + right;
}

/** The last lines of a command's output as a terminal would show them: what `\r` overwrote is gone, and so are colours. */
export interface LogTail {
  readonly add: (stream: number, data: Uint8Array) => void;
  /** At most `count` lines, the open one as well; empty lines are left out. */
  readonly last: (count: number) => readonly string[];
}

/** A line is cut at this length before it is looked at: a step may print megabytes without a line's end. */
const maxLine = 1024;

export function createLogTail(maxLines: number): LogTail {
  const decoders = new Map<number, StringDecoder>();
  let lines: string[] = [];
  let open = "";

  function clean(line: string): string {
    const text = stripVTControlCharacters(line.replace(/\r+$/, ""));
    return text
      .slice(text.lastIndexOf("\r") + 1)
      .replaceAll("\t", "        ")
      .replaceAll(/\p{Cc}/gu, "");
  }

  return {
    add(stream, data) {
      let decoder = decoders.get(stream);
      if (decoder === undefined) decoders.set(stream, (decoder = new StringDecoder("utf8")));
      const parts = (open + decoder.write(Buffer.from(data.buffer, data.byteOffset, data.byteLength))).split("\n");
      open = (parts.pop() ?? "").slice(-maxLine);
      for (const part of parts.slice(-maxLines)) {
        const line = clean(part.slice(-maxLine));
        if (line.trim() !== "") lines.push(line);
      }
      lines = lines.slice(-maxLines);
    },
    last(count) {
      const line = clean(open);
      const all = line.trim() === "" ? lines : [...lines, line];
      return count <= 0 ? [] : all.slice(-count);
    },
  };
}
