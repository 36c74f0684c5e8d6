import { isVarveError, type VarveError } from "../errors/index.ts";
import { throwFailures } from "./failures.ts";
import type { Io } from "./io.ts";

/** Does the same for each of several names, prints those for which it went well, and fails in the end with what did not. */
export async function eachName(
  names: readonly string[],
  io: Io,
  work: (name: string) => Promise<string | undefined>,
): Promise<void> {
  const failures: VarveError[] = [];
  for (const name of names) {
    try {
      const shown = await work(name);
      if (shown !== undefined) io.stdout.print(`${shown}\n`);
    } catch (error) {
      if (!isVarveError(error)) throw error;
      failures.push(error);
    }
  }
  throwFailures(failures);
}

/** As {@link eachName} for objects that are shown together, also where some names fail. */
export async function collectNamed<T>(
  names: readonly string[],
  look: (name: string) => Promise<T>,
): Promise<{ readonly found: readonly T[]; readonly failures: readonly VarveError[] }> {
  const found: T[] = [];
  const failures: VarveError[] = [];
  for (const name of names) {
    try {
      found.push(await look(name));
    } catch (error) {
      if (!isVarveError(error)) throw error;
      failures.push(error);
    }
  }
  return { found, failures };
}
