import { VarveError, type SourceRange } from "../errors/index.ts";
import { expandWords, type ExpandOptions } from "./expand-word.ts";
import { parseJsonList } from "./json-list.ts";
import { splitCommand } from "./word-split.ts";

/** What a heredoc word like `3<<-"EOF"` says. */
export interface HeredocWord {
  /** The delimiter without quotes and escapes. */
  readonly name: string;
  /** 0 where not given. */
  readonly fileDescriptor: number;
  readonly expand: boolean;
  readonly chomp: boolean;
}

const shape = /^(\d*)<<(-?)[\t\n\f\r ]*([^<]+)$/;
// heredoc words escape with `\` whatever the `escape` directive says (D02), and variables in them mean nothing
const asWritten: ExpandOptions = { escape: "\\", unset: "keep" };
const nothingSet = (): undefined => undefined;

/** Reads one word as a heredoc (H02, H03); undefined when it is none. Throws DOCKERFILE_SUBSTITUTION on open quotes. */
export function parseHeredocWord(word: string, options: { readonly where?: SourceRange } = {}): HeredocWord | undefined {
  const match = shape.exec(word);
  if (match === null) return undefined;
  const [name, ...more] = expandWords(match[3]!, nothingSet, { ...asWritten, ...options }).words;
  if (name === undefined || more.length > 0) return undefined;
  const quoted = expandWords(match[3]!, nothingSet, { ...asWritten, quotes: "keep" }).words[0] ?? "";
  return {
    name,
    fileDescriptor: match[1] === "" ? 0 : Number(match[1]),
    expand: countQuotes(name) === countQuotes(quoted),
    chomp: match[2] === "-",
  };
}

/** The heredocs that a joined instruction line opens, in order; none when the line's quoting does not end. */
export function findHeredocs(line: string, options: { readonly where?: SourceRange } = {}): HeredocWord[] {
  let words: readonly string[];
  try {
    words = expandWords(line, nothingSet, { ...asWritten, quotes: "keep", escapes: "keep" }).words;
  } catch (error) {
    // the text is the shell's own then, and BuildKit looks for no heredoc in it
    if (error instanceof VarveError && error.code === "DOCKERFILE_SUBSTITUTION") return [];
    throw error;
  }
  return words.map((word) => parseHeredocWord(word, options)).filter((word) => word !== undefined);
}

/** True when an instruction may open heredocs (H01): RUN, COPY, ADD in shell form, and ONBUILD of those. */
export function mayHaveHeredocs(line: string, escape: string): boolean {
  if (!line.includes("<<")) return false;
  let words = splitCommand(line, escape);
  if (words.keyword.text.toLowerCase() === "onbuild" && words.rest.text !== "") words = splitCommand(words.rest.text, escape);
  return ["run", "copy", "add"].includes(words.keyword.text.toLowerCase()) && parseJsonList(words.rest.text) === undefined;
}

/** `text` without the tabs at the start of its lines, as `<<-` asks. */
export function chompTabs(text: string): string {
  return text.replace(/(^|\n)\t+/g, "$1");
}

function countQuotes(text: string): number {
  return text.replace(/[^'"]/g, "").length;
}
