import { VarveError } from "../errors/index.ts";
import { mediaTypes, type Descriptor, type Digest } from "../oci/index.ts";

/** What is known of a cache mount beside its files; it travels as annotations of the layer that holds them. */
export interface MountFacts {
  readonly id: string;
  /** Content digest of what it began with; absent for one that began empty. */
  readonly seed?: string;
  /** Which of the cache's folders: 1 and up for those beside the first; absent for the first one. */
  readonly lane?: number;
  /** Of the folder itself, which a layer says nothing of. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const prefix = "dev.varve.cache-mount.";

/** The descriptor of a layer (a tar, in zstd) that holds a cache mount. */
export function describeMount(
  { id, seed, lane, mode, uid, gid }: MountFacts,
  { digest, size }: { readonly digest: Digest; readonly size: number },
): Descriptor {
  return {
    mediaType: `${mediaTypes.ociLayer}+zstd`,
    digest,
    size,
    annotations: {
      [`${prefix}id`]: id,
      [`${prefix}owner`]: `${uid}:${gid}`,
      [`${prefix}mode`]: mode.toString(8),
      ...(seed === undefined ? {} : { [`${prefix}seed`]: seed }),
      ...(lane === undefined ? {} : { [`${prefix}folder`]: String(lane) }),
    },
  };
}

/** Whether a layer holds a cache mount. */
export function isMountLayer({ annotations = {} }: Pick<Descriptor, "annotations">): boolean {
  return annotations[`${prefix}id`] !== undefined;
}

/** What a layer says of the cache mount in it; nothing of it is trusted. Fails with CACHE_MOUNT_INVALID. */
export function readMount({ annotations = {}, digest }: Pick<Descriptor, "annotations" | "digest">): MountFacts {
  const { id, owner = "0:0", mode = "755", seed, folder } = ownFields(annotations);
  const [uid, gid] = owner.split(":");
  const fits =
    id !== undefined &&
    id.length <= maxIdLength &&
    /^\d{1,10}:\d{1,10}$/.test(owner) &&
    /^[0-7]{1,4}$/.test(mode) &&
    (seed === undefined || /^[\w:+./=-]{1,200}$/.test(seed)) &&
    (folder === undefined || /^[1-9]\d{0,3}$/.test(folder));
  if (!fits) throw new VarveError("CACHE_MOUNT_INVALID", `the annotations of the layer ${digest} describe no cache mount`);
  return {
    id,
    uid: Number(uid),
    gid: Number(gid),
    mode: Number.parseInt(mode, 8),
    ...(seed === undefined ? {} : { seed }),
    ...(folder === undefined ? {} : { lane: Number(folder) }),
  };
}

/** A path, in most cases; more is no name (characters). */
const maxIdLength = 4096;

function ownFields(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(annotations)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}
