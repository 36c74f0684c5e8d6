import { didYouMean } from "../errors/index.ts";
import type { Check } from "./check.ts";
import type { Span } from "./syntax.ts";

export type FlagKind = "boolean" | "string" | "strings";

interface FlagValues {
  /** Undefined where not given. */
  readonly boolean: boolean | undefined;
  /** Undefined where not given. */
  readonly string: string | undefined;
  readonly strings: readonly { readonly value: string; readonly span: Span }[];
}

/**
 * Checks the flags of an instruction against those it knows (P07): `strings` may repeat, the others not; `string` and
 * `strings` need `=`; `boolean` is bare, `=true` or `=false` in any case.
 *
 * Throws DOCKERFILE_UNKNOWN_FLAG and DOCKERFILE_FLAG.
 */
export function readFlags<const Known extends Readonly<Record<string, FlagKind>>>(
  check: Check,
  known: Known,
): { readonly [Name in keyof Known]: FlagValues[Known[Name]] } {
  const values: Record<string, FlagValues[FlagKind]> = {};
  for (const [name, kind] of Object.entries(known)) values[name] = kind === "strings" ? [] : undefined;
  const seen = new Set<string>();
  for (const { name, value, span } of check.node.flags) {
    if (!Object.hasOwn(known, name)) {
      throw check.fail("DOCKERFILE_UNKNOWN_FLAG", `unknown flag: --${name}${didYouMean(name, Object.keys(known))}`, { span });
    }
    const kind = known[name];
    if (seen.has(name) && kind !== "strings") {
      throw check.fail("DOCKERFILE_FLAG", `duplicate flag specified: --${name}`, { span });
    }
    seen.add(name);
    if (kind === "boolean" ? value === "" : value === undefined) {
      throw check.fail("DOCKERFILE_FLAG", `missing a value on flag: --${name}`, { span });
    }
    if (kind === "boolean") {
      const word = (value ?? "true").toLowerCase();
      if (word !== "true" && word !== "false") {
        throw check.fail("DOCKERFILE_FLAG", `expecting boolean value for flag --${name}, not: ${value}`, { span });
      }
      values[name] = word === "true";
    } else if (kind === "strings") {
      values[name] = [...(values[name] as FlagValues["strings"]), { value: value ?? "", span }];
    } else {
      values[name] = value;
    }
  }
  return values as { readonly [Name in keyof Known]: FlagValues[Known[Name]] };
}
