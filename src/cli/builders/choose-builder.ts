import type { Varve } from "../../engine/index.ts";
import { nonEmpty } from "../store.ts";

export interface BuilderChoice {
  /** The command's name as it was given, with several words. */
  readonly command: string;
  /** Whether the command works in a builder, and its `--builder`. */
  readonly takesBuilder: boolean;
  readonly flag: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The builder that a command works in: `--builder`, then BUILDX_BUILDER, then for the spellings `buildx …` and `builder …` the one in
 * use; for all others the default one, as `docker build` has it beside `docker buildx build`.
 */
export function chooseBuilder({ command, takesBuilder, flag, env }: BuilderChoice, base: Pick<Varve, "builders">): string {
  if (!takesBuilder) return "default";
  const named = nonEmpty(flag) ?? nonEmpty(env["BUILDX_BUILDER"]);
  if (named !== undefined) return named;
  return /^(?:buildx|builder) /.test(command) ? base.builders.current() : "default";
}
