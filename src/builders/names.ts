import { randomInt } from "node:crypto";
import { VarveError } from "../errors/index.ts";
import { defaultBuilder } from "./types.ts";

/** A builder's or node's name in lower case, as buildx takes them. Fails with USAGE. */
export function readBuilderName(text: string): string {
  if (/^[A-Za-z][A-Za-z0-9._-]*$/.test(text) && text.length <= 128) return text.toLowerCase();
  throw new VarveError(
    "USAGE",
    `invalid name ${text}, name needs to start with a letter and may not contain symbols, except ._-`,
  );
}

const qualities =
  "amber basalt brisk calm clear coarse dense early fine gentle grey late lower patient plain quiet silty slow steady upper".split(
    " ",
  );
const things = "bank bay bed clay core delta dune fan fen gravel lake marsh moraine plain reef sand shale shelf shore silt".split(
  " ",
);

/** A name that none of `taken` is, for a builder that was given none. */
export function makeBuilderName(taken: ReadonlySet<string>): string {
  const pick = (words: readonly string[]): string => words[randomInt(words.length)] ?? "";
  for (let tries = 0; ; tries++) {
    const name = `${pick(qualities)}_${pick(things)}${tries > 5 ? randomInt(10_000) : ""}`;
    if (!taken.has(name) && name !== defaultBuilder) return name;
  }
}
