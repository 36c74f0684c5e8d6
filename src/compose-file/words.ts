/** Characters at which a shell would do something, and no word goes on: there is no shell here. */
const stops = new Set([";", "&", "|", "<", ">"]);

export interface Words {
  readonly words: readonly string[];
  /** What is left out from a `;`, `&`, `|`, `<` or `>` on. */
  readonly dropped?: string;
}

/**
 * Splits a command into words as Docker Compose does (a shell's quotes and backslashes, nothing else of a shell). What
 * stands from an operator of a shell on is dropped there, and here it is at least said. Undefined when quotes do not close.
 */
export function splitWords(text: string): Words | undefined {
  const words: string[] = [];
  let word = "";
  let isOpen = false;
  let quote: string | undefined;
  const close = (): void => {
    if (isOpen) words.push(word);
    word = "";
    isOpen = false;
  };
  for (let index = 0; index < text.length; index++) {
    const unit = text[index] ?? "";
    if (unit === "\\" && quote !== "'") {
      if (index + 1 >= text.length) return undefined;
      index += 1;
      word += text[index] ?? "";
      isOpen = true;
    } else if (quote !== undefined) {
      if (unit === quote) quote = undefined;
      else word += unit;
    } else if (unit === "'" || unit === '"') {
      quote = unit;
      isOpen = true;
    } else if (/\s/.test(unit)) close();
    else if (unit === "(" && word.endsWith("$")) {
      // Stays as it is, up to its end: who reads the word may be a shell
      const end = text.indexOf(")", index);
      if (end < 0) return undefined;
      word += text.slice(index, end + 1);
      index = end;
    } else if (unit === "(" || unit === ")") return undefined;
    else if (stops.has(unit)) {
      // The digit of `2>` belongs to the operator
      if (unit === ">" && /^\d$/.test(word)) isOpen = false;
      close();
      return { words, dropped: text.slice(index) };
    } else {
      word += unit;
      isOpen = true;
    }
  }
  if (quote !== undefined) return undefined;
  close();
  return { words };
}
