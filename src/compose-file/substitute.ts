import { VarveError } from "../errors/index.ts";

export interface SubstituteOptions {
  readonly lookup: (name: string) => string | undefined;
  /** Told of each variable without a value for which nothing was said. */
  readonly onUnset?: (name: string) => void;
}

/** One `${…}` or `$NAME` of a text. */
export interface Reference {
  readonly name: string;
  /** Undefined for `$NAME` and `${NAME}`. */
  readonly operator?: ":-" | "-" | ":?" | "?" | ":+" | "+";
  /** What follows the operator, not yet substituted. */
  readonly word?: string;
}

const namePattern = /[a-z_]\w*/iy;
/** `${A:-${B:-${C}}}` deeper than anyone writes; the limit keeps the stack. */
const maxNesting = 50;

/**
 * Replaces the variables of a text (Compose Specification, "Interpolation"): `$V ${V} ${V:-d} ${V-d} ${V:?e} ${V?e}
 * ${V:+a} ${V+a}`, nested words, and `$$` for a dollar sign. Fails with COMPOSE_INTERPOLATION for what is none of these
 * and for a variable that must be there; the caller adds the place.
 */
export function substitute(text: string, options: SubstituteOptions, depth = 0): string {
  if (!text.includes("$")) return text;
  if (depth > maxNesting)
    throw new VarveError("COMPOSE_INTERPOLATION", `variables stand more than ${maxNesting} deep in each other`);
  let result = "";
  for (const part of splitReferences(text)) result += typeof part === "string" ? part : valueOf(part, options, depth);
  return result;
}

function valueOf({ name, operator, word = "" }: Reference, options: SubstituteOptions, depth: number): string {
  const value = options.lookup(name);
  const isThere = operator?.startsWith(":") === true ? value !== undefined && value !== "" : value !== undefined;
  const substituteWord = (): string => substitute(word, options, depth + 1);
  switch (operator) {
    case ":-":
    case "-":
      return isThere ? (value ?? "") : substituteWord();
    case ":+":
    case "+":
      return isThere ? substituteWord() : "";
    case ":?":
    case "?": {
      if (isThere) return value ?? "";
      const reason = substituteWord();
      throw new VarveError(
        "COMPOSE_INTERPOLATION",
        `required variable ${name} is missing a value${reason === "" ? "" : `: ${reason}`}`,
        { hint: `set ${name} in the environment or in the .env file` },
      );
    }
    case undefined:
    default:
      if (value === undefined) options.onUnset?.(name);
      return value ?? "";
  }
}

/** The references of a text, those in words of others too, in the order of the text. */
export function findReferences(text: string): readonly Reference[] {
  return splitReferences(text).flatMap((part) => (typeof part === "string" ? [] : [part, ...findReferences(part.word ?? "")]));
}

/** Splits a text into what stands for itself (`$$` undoubled) and references. */
function splitReferences(text: string): readonly (string | Reference)[] {
  const parts: (string | Reference)[] = [];
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf("$", at);
    if (dollar < 0) break;
    parts.push(text.slice(at, dollar));
    const next = text[dollar + 1];
    if (next === "$") {
      parts.push("$");
      at = dollar + 2;
    } else if (next === "{") {
      const end = closingBrace(text, dollar + 1);
      if (end === undefined) throw invalid(text);
      parts.push(readBraced(text.slice(dollar + 2, end), text));
      at = end + 1;
    } else {
      const name = nameAt(text, dollar + 1);
      // A dollar sign before anything else is one
      parts.push(name === undefined ? "$" : { name });
      at = dollar + 1 + (name?.length ?? 0);
    }
  }
  parts.push(text.slice(at));
  return parts;
}

function readBraced(body: string, text: string): Reference {
  const name = nameAt(body, 0);
  if (name === undefined) throw invalid(text);
  const rest = body.slice(name.length);
  if (rest === "") return { name };
  const operator = /^:?[-?+]/.exec(rest)?.[0];
  if (operator === undefined) throw invalid(text);
  return { name, operator: operator as NonNullable<Reference["operator"]>, word: rest.slice(operator.length) };
}

function nameAt(text: string, start: number): string | undefined {
  namePattern.lastIndex = start;
  return namePattern.exec(text)?.[0];
}

/** The brace that closes the one at `open`: braces within count in pairs. */
function closingBrace(text: string, open: number): number | undefined {
  let depth = 0;
  for (let index = open; index < text.length; index++) {
    if (text[index] === "{") depth += 1;
    else if (text[index] === "}" && --depth === 0) return index;
  }
  return undefined;
}

function invalid(text: string): VarveError {
  return new VarveError("COMPOSE_INTERPOLATION", `invalid interpolation format: ${JSON.stringify(text)}`, {
    hint: "a dollar sign that is meant as one is written $$",
  });
}
