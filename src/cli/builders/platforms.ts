import type { NodeInfo } from "../../engine/index.ts";

/** What a node builds for: what it was given, with a star, then what else its machine does. */
export function nodePlatforms({ platforms, machinePlatforms }: NodeInfo): readonly string[] {
  return [...platforms.map((name) => `${name}*`), ...machinePlatforms.filter((name) => !platforms.includes(name))];
}

const majors = ["linux/amd64", "linux/arm64", "linux/arm", "linux/ppc64le", "linux/s390x", "linux/riscv64", "linux/mips64"];
const maxGroups = 4;

/** The platforms in a table: variants under one name with their number, at most four names. (buildx ls without --no-trunc) */
export function shortPlatforms(platforms: readonly string[]): string {
  const groups = new Map<string, string[]>(majors.map((name) => [name, []]));
  for (const platform of platforms.toSorted()) {
    const name = platform.replace("*", "").split("/").slice(0, 2).join("/");
    groups.set(name, [...(groups.get(name) ?? []), platform]);
  }
  const filled = [...groups].filter(([, members]) => members.length > 0);
  const shown = filled.slice(0, maxGroups).map(([name, members]) => {
    const star = members.some((member) => member.endsWith("*")) ? "*" : "";
    return members.length === 1 ? (members[0] ?? "") : `${name}${star} (+${members.length})`;
  });
  const left = filled.slice(maxGroups).reduce((sum, [, members]) => sum + members.length, 0);
  return [...shown, ...(left > 0 ? [`(${left} more)`] : [])].join(", ");
}
