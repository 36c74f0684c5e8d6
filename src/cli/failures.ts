import { VarveError } from "../errors/index.ts";

/** Throws what went wrong for some of several names: one error as it is, several as one that says all. Nothing for none. */
export function throwFailures(failures: readonly VarveError[]): void {
  const [first, ...others] = failures;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  throw new VarveError(
    first.code,
    failures.map(({ message }) => message).join("; "),
    first.hint === undefined ? {} : { hint: first.hint },
  );
}
