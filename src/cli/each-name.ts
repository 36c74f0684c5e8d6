import { isVarveError, type VarveError } from "../errors/index.ts";
import { throwFailures } from "./failures.ts";
import { compileTemplate } from "./format/template.ts";
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

/** What `inspect` of a kind of object prints: each by a template, or all as JSON, also where some names fail. */
export function printInspected<T>(
  names: readonly string[],
  { format, io }: { readonly format: string | undefined; readonly io: Io },
  { look, forTemplates }: { readonly look: (name: string) => T; readonly forTemplates: (found: T) => unknown },
): void {
  const isJson = format === "json";
  const render = format === undefined || isJson ? undefined : compileTemplate(format);
  const found: T[] = [];
  const failures: VarveError[] = [];
  for (const name of names) {
    try {
      found.push(look(name));
    } catch (error) {
      if (!isVarveError(error)) throw error;
      failures.push(error);
    }
  }
  if (render !== undefined) for (const each of found) io.stdout.print(`${render(forTemplates(each))}\n`);
  else io.stdout.print(`${JSON.stringify(found, undefined, isJson ? undefined : 4)}\n`);
  throwFailures(failures);
}
