import { VarveError } from "../errors/index.ts";
import { readJsonList, type Check } from "./check.ts";
import { readFlags } from "./flags.ts";
import { parseHeredocWord, type HeredocWord } from "./heredocs.ts";
import type { AddInstruction, CopyInstruction } from "./instructions.ts";
import type { HeredocNode } from "./syntax.ts";
import { splitAtBlanks } from "./word-split.ts";

/** COPY (I05). */
export function checkCopy(check: Check): CopyInstruction {
  const flags = readFlags(check, {
    from: "string",
    chown: "string",
    chmod: "string",
    link: "boolean",
    parents: "boolean",
    exclude: "strings",
  });
  return {
    ...check.base,
    kind: "copy",
    ...readPaths(check),
    from: flags.from || undefined,
    chown: flags.chown || undefined,
    chmod: flags.chmod || undefined,
    link: flags.link ?? false,
    parents: flags.parents ?? false,
    exclude: flags.exclude.map((flag) => flag.value),
  };
}

/** ADD (I06). `keepGitDir` and `unpack` tell false from not given, since their defaults depend on the source. */
export function checkAdd(check: Check): AddInstruction {
  const flags = readFlags(check, {
    chown: "string",
    chmod: "string",
    link: "boolean",
    exclude: "strings",
    checksum: "string",
    "keep-git-dir": "boolean",
    unpack: "boolean",
  });
  return {
    ...check.base,
    kind: "add",
    ...readPaths(check),
    chown: flags.chown || undefined,
    chmod: flags.chmod || undefined,
    link: flags.link ?? false,
    exclude: flags.exclude.map((flag) => flag.value),
    checksum: flags.checksum || undefined,
    keepGitDir: flags["keep-git-dir"],
    unpack: flags.unpack,
  };
}

interface Paths {
  readonly sources: readonly string[];
  readonly heredocs: readonly HeredocNode[];
  readonly destination: string;
}

/** JSON or words (P09); the last is the destination, heredoc words are sources with a body (H06). */
function readPaths(check: Check): Paths {
  const { name, rest } = check.node;
  const list = readJsonList(check);
  const words = list ?? joinHeredocBlanks(splitAtBlanks(rest).map((word) => word.text));
  const destination = words.at(-1);
  if (destination === undefined || words.length < 2) {
    const given = words.length === 0 ? "" : ", but only one was provided. Destination could not be determined";
    throw check.fail("DOCKERFILE_SYNTAX", `${name} requires at least two arguments${given}`, {
      hint: `write ${name} SOURCE… DESTINATION`,
    });
  }
  if (readHeredocWord(destination) !== undefined) {
    throw check.fail("DOCKERFILE_HEREDOC", `${name} cannot accept a heredoc as a destination`);
  }
  const sources: string[] = [];
  const heredocs: HeredocNode[] = [];
  for (const word of words.slice(0, -1)) {
    const heredoc = readHeredocWord(word);
    if (heredoc === undefined) sources.push(word);
    else heredocs.push(bodyOf(check, heredoc));
  }
  return { sources, heredocs, destination };
}

/** Among heredocs of one name the last body counts for all, as in BuildKit. */
function bodyOf(check: Check, word: HeredocWord): HeredocNode {
  const node = check.node.heredocs.findLast((heredoc) => heredoc.name === word.name);
  if (node === undefined) {
    throw check.fail("DOCKERFILE_HEREDOC", `${check.node.name} has no body for the heredoc ${word.name}`, {
      hint: "heredocs work only outside JSON form and where all quotes of the line are closed",
    });
  }
  return { ...node, expand: word.expand };
}

/** `<< WORD` is one word here as it is for RUN (H02). */
function joinHeredocBlanks(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (const word of words) {
    if (/^\d*<<-?$/.test(joined.at(-1) ?? "")) joined.push(joined.pop()! + word);
    else joined.push(word);
  }
  return joined;
}

/** A word whose quotes do not end is a path, not a heredoc. */
function readHeredocWord(word: string): HeredocWord | undefined {
  try {
    return parseHeredocWord(word);
  } catch (error) {
    if (error instanceof VarveError && error.code === "DOCKERFILE_SUBSTITUTION") return undefined;
    throw error;
  }
}
