import { needsArgument, type Check } from "./check.ts";
import { readFlags } from "./flags.ts";
import type { OnbuildInstruction } from "./instructions.ts";
import { skipSpace } from "./white-space.ts";

/** ONBUILD (I17): the trigger's text as it goes into the image config, white space at its end included. */
export function checkOnbuild(check: Check): OnbuildInstruction {
  readFlags(check, {});
  const { line, rest, heredocs } = check.node;
  if (rest === "") throw needsArgument(check);
  refuseTrigger(check, /^[^\t\v\f\r ]*/.exec(rest)![0]);
  const start = skipSpace(line, skipSpace(line) + check.node.keyword.length);
  const bodies = heredocs.map((heredoc) => `\n${heredoc.rawContent}${heredoc.name}`);
  return { ...check.base, kind: "onbuild", trigger: line.slice(start) + bodies.join("") };
}

/** Throws DOCKERFILE_TRIGGER for instructions that cannot be triggers. */
export function refuseTrigger(check: Check, keyword: string): void {
  const name = keyword.toUpperCase();
  if (name === "ONBUILD") {
    throw check.fail("DOCKERFILE_TRIGGER", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  }
  if (name === "FROM" || name === "MAINTAINER") {
    throw check.fail("DOCKERFILE_TRIGGER", `${name} isn't allowed as an ONBUILD trigger`);
  }
}
