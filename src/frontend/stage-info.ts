import type { Dockerfile } from "../dockerfile/index.ts";
import type { StageInfo } from "./options.ts";

/** What the stages of a Dockerfile are, without compiling anything: what `--call=targets` lists. */
export function listStages(dockerfile: Dockerfile): StageInfo[] {
  return dockerfile.stages.map(({ from, index }) => ({
    index,
    name: from.nameAsWritten,
    description: describe(from.docComment, from.nameAsWritten),
    base: from.base,
    platform: from.platform,
    isDefault: index === dockerfile.stages.length - 1,
  }));
}

function describe(comment: readonly string[], name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  return comment.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
}
