import type { ListedRecord } from "../cache/index.ts";
import type { ListedSnapshot } from "../snapshots/index.ts";
import type { RecordType } from "./types.ts";

export interface SnapshotDescription {
  readonly type: RecordType;
  readonly description: string;
  readonly cached: boolean;
}

/** Says of each snapshot what it is, by the cached results that end with it or stand on it. */
export function describeSnapshots(
  snapshots: readonly ListedSnapshot[],
  records: readonly ListedRecord[],
): ReadonlyMap<number, SnapshotDescription> {
  const ends = new Map<number, string>();
  const below = new Map<number, string>();
  for (const { stacks, name } of [...records].sort((a, b) => a.createdMs - b.createdMs)) {
    for (const stack of stacks) {
      const top = stack.at(-1);
      if (top !== undefined && !ends.has(top)) ends.set(top, name);
      for (const id of stack) if (!below.has(id)) below.set(id, name);
    }
  }
  return new Map(
    snapshots.map(({ id, owner }) => {
      const name = ends.get(id);
      const above = below.get(id);
      const description =
        owner !== undefined ? "being made" : (name ?? (above === undefined ? "no cached result" : `layer below ${above}`));
      return [id, { type: typeOf(name), description, cached: above !== undefined }];
    }),
  );
}

function typeOf(name: string | undefined): RecordType {
  if (name?.startsWith("files of the context for ")) return "source.local";
  if (name !== undefined && /^(?:\[[^\]]*\] )?(?:git:\/\/|load git source )/.test(name)) return "source.git.checkout";
  return "regular";
}
