import { existsSync, mkdirSync, realpathSync } from "node:fs";
import { join, posix } from "node:path";
import { VarveError } from "../errors/index.ts";
import type { ContainerRoom, FoundImage } from "./room.ts";
import type { PlacedMount } from "./spec-place.ts";
import type { MountRequest } from "./types.ts";

/**
 * Makes what the mounts of a new container name: volumes, anonymous ones for the image's VOLUMEs, folders of the host where that was
 * asked for. Returns the mounts with the volumes' names; volumes made for it alone go again when `work` fails.
 */
export async function makeMounts(
  { volumes, findImage }: Pick<ContainerRoom, "volumes" | "findImage">,
  asked: readonly MountRequest[],
  image: FoundImage,
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly MountRequest[]> {
  const targets = new Set(asked.map(({ target }) => posix.normalize(target).replace(/(.)\/+$/, "$1")));
  const ofImage = Object.keys(image.config.config?.Volumes ?? {})
    .filter((target) => !targets.has(posix.normalize(target).replace(/(.)\/+$/, "$1")))
    .map((target): MountRequest => ({ type: "volume", target, readonly: false }));
  const made: MountRequest[] = [];
  for (const mount of [...asked, ...ofImage]) {
    if (mount.type === "bind") made.push(checkBind(mount));
    else if (mount.type === "tmpfs") made.push(mount);
    else if (mount.type === "image") {
      const { layers } = await findImage(mount.source ?? "", {
        platform: undefined,
        pull: mount.createSource === true ? "missing" : "never",
        signal,
      });
      made.push({ ...mount, imageLayers: layers });
    } else {
      const { name } = await volumes.create({
        ...(mount.source === undefined ? {} : { name: mount.source }),
        ...(mount.volumeLabels === undefined ? {} : { labels: mount.volumeLabels }),
        ...(mount.volumeOptions === undefined ? {} : { options: mount.volumeOptions }),
      });
      made.push({ ...mount, source: name });
    }
  }
  return made;
}

function checkBind(mount: MountRequest): MountRequest {
  const source = mount.source ?? "";
  if (existsSync(source)) return mount;
  if (mount.createSource === true) {
    mkdirSync(source, { recursive: true, mode: 0o755 });
    return mount;
  }
  throw new VarveError("CONTAINER_INVALID", `invalid mount config for type "bind": bind source path does not exist: ${source}`);
}

/** A folder of a volume that takes what the image has at its place. */
export interface VolumeSeed {
  readonly source: string;
  readonly target: string;
  readonly volume: string;
}

/** An image that is to be mounted, for reading alone, before what is placed is. */
export interface MountedImage {
  readonly path: string;
  /** Folders of its snapshots, bottom first. */
  readonly lowers: readonly string[];
}

/** The mounts of a start: volumes and images as what they are mounted as, folders above before those below. */
export function placeMounts(
  { volumes, snapshots }: Pick<ContainerRoom, "volumes" | "snapshots">,
  mounts: readonly MountRequest[],
  { folder }: { readonly folder: string },
): { readonly mounts: readonly PlacedMount[]; readonly seeds: readonly VolumeSeed[]; readonly images: readonly MountedImage[] } {
  const seeds: VolumeSeed[] = [];
  const images: MountedImage[] = [];
  const depth = ({ target }: MountRequest): number => posix.normalize(target).split("/").filter(Boolean).length;
  const placed = mounts
    .toSorted((left, right) => depth(left) - depth(right))
    .map((mount): PlacedMount => {
      const { target, readonly } = mount;
      if (mount.type === "tmpfs") return { type: "tmpfs", target, readonly, options: tmpfsOptions(mount) };
      if (mount.type === "bind") {
        const { source = "", propagation, nonRecursive } = checkBind(mount);
        return {
          type: "bind",
          source,
          target,
          readonly,
          ...(propagation === undefined ? {} : { propagation }),
          ...(nonRecursive === undefined ? {} : { nonRecursive }),
        };
      }
      if (mount.type === "image") {
        const source = join(folder, `image-${images.length}`);
        images.push({ path: source, lowers: snapshots.fsPaths(mount.imageLayers ?? []) });
        return { type: "bind", source, target, readonly: true };
      }
      const volume = mount.source ?? "";
      const made = volumes.mountOf(volume);
      if (made.type === "tmpfs") return { type: "tmpfs", target, readonly, options: made.options };
      const source = mount.subpath === undefined ? made.source : below(made.source, mount.subpath, volume);
      const seeding = mount.noCopy !== true && mount.subpath === undefined && volumes.needsSeeding(volume);
      if (seeding) seeds.push({ source, target, volume });
      return { type: "bind", source, target, readonly: readonly || made.readonly };
    });
  return { mounts: placed, seeds, images };
}

function tmpfsOptions({ tmpfsBytes, tmpfsMode, tmpfsOptions: further = [] }: MountRequest): readonly string[] {
  return [
    ...(tmpfsBytes === undefined ? [] : [`size=${tmpfsBytes}`]),
    ...(tmpfsMode === undefined ? [] : [`mode=${tmpfsMode.toString(8)}`]),
    ...further,
  ];
}

function below(folder: string, subpath: string, volume: string): string {
  const base = realpathSync(folder);
  const path = join(base, subpath);
  const real = existsSync(path) ? realpathSync(path) : undefined;
  if (real === undefined || !(real === base || real.startsWith(`${base}/`)))
    throw new VarveError("CONTAINER_INVALID", `cannot access path ${subpath} of the volume ${volume}`);
  return real;
}
