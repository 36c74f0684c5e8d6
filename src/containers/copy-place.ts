import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ContainerRow } from "./container-store.ts";
import type { CopyPlace } from "./copies.ts";
import { containerPaths } from "./handle.ts";
import { placeMounts } from "./make-mounts.ts";
import { handleOf } from "./observe.ts";
import type { ContainerRoom } from "./room.ts";

/** How the files of a container are reached without its mounts. */
export function bareOf(room: ContainerRoom, row: ContainerRow): CopyPlace {
  const place = placeOf(room, row);
  const { root } = place;
  if (root.kind === "stack") return { ...place, root: { ...root, mounts: [], images: [], readonly: true } };
  // where the monitor sees the overlay, and what only the container's own mount namespace has over it is not
  return { ...place, root: { kind: "folder", path: containerPaths(room.root, row.id).root } };
}

/** How the files of a container are reached now: through its first process, or by mounting its root once more. */
export function placeOf(room: ContainerRoom, row: ContainerRow): CopyPlace {
  const { name, config, layers, mounts } = row;
  const common = { name, user: config.user, mountTargets: mounts.map(({ target }) => target) };
  const handle = handleOf(row, room.root);
  const { process: first } = row.run;
  if (handle !== undefined && first !== undefined)
    return { ...common, root: { kind: "process", process: first }, enter: handle.enter, userNamespace: handle.userNamespace };
  const paths = containerPaths(room.root, row.id);
  const mountPoint = join(paths.folder, "copy");
  for (const folder of [mountPoint, paths.upper]) mkdirSync(folder, { recursive: true, mode: 0o755 });
  mkdirSync(paths.work, { recursive: true, mode: 0o700 });
  const userNamespace = process.getuid?.() !== 0;
  const { mounts: placed, seeds, images } = placeMounts(room, mounts, paths);
  // What a volume will take from the image is still in the image.
  const unseeded = new Set(seeds.map(({ target }) => target));
  return {
    ...common,
    root: {
      kind: "stack",
      mountPoint,
      upper: paths.upper,
      work: paths.work,
      lowers: room.snapshots.fsPaths(layers),
      mounts: placed.filter(({ target }) => !unseeded.has(target)),
      images,
      readonly: config.host.readonlyRoot,
    },
    enter: [
      "unshare",
      ...(userNamespace ? ["--user", "--map-root-user", "--map-auto"] : []),
      "--mount",
      "--propagation",
      "private",
      "--",
    ],
    userNamespace,
  };
}
