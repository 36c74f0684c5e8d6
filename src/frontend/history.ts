import type { Compilation } from "./compilation.ts";
import type { StageState } from "./stage.ts";

/**
 * Adds an entry to the image's history, as BuildKit writes it (I19): instructions that changed files through a step end
 * in ` # buildkit`; the time is only there with SOURCE_DATE_EPOCH.
 */
export function addHistory(
  stage: StageState,
  compilation: Compilation,
  text: string,
  options: { readonly hasLayer: boolean; readonly isStep?: boolean },
): void {
  const { epoch } = compilation;
  stage.history.push({
    ...(epoch === undefined ? {} : { created: formatTime(epoch) }),
    created_by: options.isStep === true ? `${text} # buildkit` : text,
    comment: "buildkit.dockerfile.v0",
    ...(options.hasLayer ? {} : { empty_layer: true }),
  });
}

/** `|2 A=1 B=2 ` before the arguments of a RUN: the arguments in scope, with the values that the command saw. */
export function runText(stage: StageState, args: readonly string[]): string {
  const values = new Map(stage.declaredArgs.map(({ name, value }) => [name, stage.variables.get(name) ?? value ?? ""]));
  const scope = values.size === 0 ? [] : [`|${values.size}`, ...[...values].map(([name, value]) => `${name}=${value}`)];
  return ["RUN", ...scope, ...args].join(" ");
}

/** Seconds since 1970 as RFC 3339, without fractions, as Go prints them. */
export function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}
