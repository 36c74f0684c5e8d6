import type { Dockerfile } from "../dockerfile/index.ts";
import type { StageInfo } from "./options.ts";
import { describe } from "./outline.ts";

/** What the stages of a Dockerfile are, without compiling anything: what `--call=targets` lists. */
export function listStages(dockerfile: Dockerfile): StageInfo[] {
  return dockerfile.stages.map(({ from, index }) => ({
    index,
    name: from.name,
    description: describe(from.docComment, from.name),
    base: from.base,
    platform: from.platform,
    isDefault: index === dockerfile.stages.length - 1,
    where: from.where,
  }));
}
