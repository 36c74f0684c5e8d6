import type { Check } from "./check.ts";
import { readFlags } from "./flags.ts";
import type { FromInstruction } from "./instructions.ts";
import { splitAtBlanks } from "./word-split.ts";

const stageName = /^[a-z][a-z0-9\-_.]*$/;

/** FROM (I01). Base and platform stay as written; the name is lowered. */
export function checkFrom(check: Check): FromInstruction {
  const [base, as, nameAsWritten, ...more] = splitAtBlanks(check.node.rest).map((word) => word.text);
  const named = as?.toLowerCase() === "as" && nameAsWritten !== undefined && more.length === 0;
  if (base === undefined || (as !== undefined && !named)) {
    throw check.fail("DOCKERFILE_SYNTAX", "FROM requires either one or three arguments", {
      hint: "write FROM IMAGE or FROM IMAGE AS NAME",
    });
  }
  const name = nameAsWritten?.toLowerCase();
  if (name !== undefined && !stageName.test(name)) {
    throw check.fail(
      "DOCKERFILE_STAGE_NAME",
      `invalid name for build stage: ${JSON.stringify(nameAsWritten)}, name can't start with a number or contain symbols`,
      { hint: "stage names are letters, digits, - _ and . and begin with a letter" },
    );
  }
  const flags = readFlags(check, { platform: "string" });
  return { ...check.base, kind: "from", base, platform: flags.platform || undefined, name, nameAsWritten };
}
