import { VarveError } from "../errors/index.ts";
import { quote } from "./tree-error.ts";

/** Computes the new permission bits (0 to 0o7777) from the old ones. */
export type ModeChange = (mode: number, isFolder: boolean) => number;

const readAll = 0o444;
const writeAll = 0o222;
const executeAll = 0o111;
const setIds = 0o6000;
const sticky = 0o1000;
/** What `a` stands for: all but the sticky bit. */
const everyone = 0o6777;
const classes: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o007, a: everyone };
const shifts: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

/** One step: `original` is the mode before the first step. */
type Step = (mode: number, original: number, isFolder: boolean) => number;

/**
 * Reads the mode of `--chmod`: octal, or symbolic as chmod(1) and BSD's setmode(3) have it (`u=rwX,go=rX`, `+x`, `g=u`),
 * with no umask. Anything else is TREE_MODE.
 */
export function parseMode(text: string): ModeChange {
  if (/^[0-7]{1,6}$/.test(text)) {
    const octal = Number.parseInt(text, 8);
    if (octal <= 0o7777) return () => octal;
  }
  const steps = text.split(",").flatMap((clause) => parseClause(clause, text));
  return (mode, isFolder) => steps.reduce((bits, step) => step(bits, mode, isFolder), mode);
}

function parseClause(clause: string, text: string): Step[] {
  const [, who, actions] = /^([ugoa]*)((?:[-+=][rwxXstugo]*)+)$/.exec(clause) ?? [];
  if (who === undefined || actions === undefined) {
    throw new VarveError("TREE_MODE", `${quote(text)} is not a file mode`, {
      hint: "write an octal number up to 7777, or a list like u=rwX,go=rX",
      details: { mode: text },
    });
  }
  const named = who.split("").reduce((bits, letter) => bits | (classes[letter] ?? 0), 0);
  return [...actions.matchAll(/([-+=])([rwxXstugo]*)/g)].flatMap(([, op, letters]) =>
    parseAction(op ?? "", letters ?? "", named),
  );
}

function parseAction(op: string, letters: string, named: number): Step[] {
  // Set-id and sticky bits mean nothing for "others" alone.
  const special = named === 0 || (named & ~0o007) !== 0;
  let whom = named === 0 ? everyone : named;
  let bits = 0;
  let conditional = 0;
  const copied: string[] = [];
  for (const letter of letters) {
    if (letter === "r") bits |= readAll;
    else if (letter === "w") bits |= writeAll;
    else if (letter === "x" || (letter === "X" && op === "-")) bits |= executeAll;
    else if (letter === "X") conditional |= executeAll;
    else if (letter === "s") bits |= special ? setIds : 0;
    else if (letter === "t") {
      if (!special) continue;
      whom |= sticky;
      bits |= sticky;
    } else copied.push(letter);
  }
  const steps: Step[] = [];
  const only = bits & whom;
  if (op === "-") steps.push((mode) => mode & ~only);
  else if (op === "+") steps.push((mode) => mode | only);
  // `g=u` replaces the permissions only, and leaves the set-id bits.
  else if (bits !== 0 || copied.length === 0) steps.push((mode) => (mode & ~whom) | only);
  for (const from of copied) steps.push(copyBits(op, from, whom));
  if (conditional !== 0) {
    steps.push((mode, original, isFolder) => (isFolder || (original & executeAll) !== 0 ? mode | (conditional & whom) : mode));
  }
  return steps;
}

function copyBits(op: string, from: string, whom: number): Step {
  return (mode) => {
    const value = (mode >> (shifts[from] ?? 0)) & 0o7;
    const spread = (value * 0o111) & whom & 0o777;
    if (op === "+") return mode | spread;
    if (op === "-") return mode & ~spread;
    return (mode & ~(whom & 0o777)) | spread;
  };
}
