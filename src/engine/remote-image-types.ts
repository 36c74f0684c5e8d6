import type { Annotation } from "../exporters/index.ts";
import type { Descriptor, Digest, ImageConfig, Manifest } from "../oci/index.ts";

/** A manifest or an index as a registry has it. */
export interface RemoteDocument {
  /** Canonical, with its tag or digest. */
  readonly name: string;
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** What an index names; undefined for a manifest. */
  readonly manifests?: readonly Descriptor[];
}

/** What an index is made of: an image at a registry, or a part of what a registry has, by its descriptor. */
export type JoinSource = { readonly name: string } | { readonly descriptor: Pick<Descriptor, "digest"> & Partial<Descriptor> };

export interface JoinRequest {
  readonly sources: readonly JoinSource[];
  /** Names for the result; they say the repository of sources that are descriptors. */
  readonly tags?: readonly string[];
  /** What the (only) tag stands for now comes first. */
  readonly append?: boolean;
  readonly annotations?: readonly Annotation[];
  /** A single manifest becomes an index too. Default true. */
  readonly preferIndex?: boolean;
  /** Take only these platforms. */
  readonly platforms?: readonly string[];
  readonly signal?: AbortSignal;
}

/** An index that was put together, and where its parts are. */
export interface JoinedImage {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** Canonical repository of each manifest that it needs, by digest. */
  readonly places: ReadonlyMap<string, string>;
}

export interface RemoteOptions {
  readonly signal?: AbortSignal;
  /** The registry may have any certificate, or none. */
  readonly insecure?: boolean;
}

/** A manifest with all that it names, in memory: small files under a name. */
export interface Artifact extends RemoteDocument {
  /** Undefined where the name stands for an index. */
  readonly manifest?: Manifest;
  /** The layers' bytes, by digest. */
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

/** Images at their registries: looked at and put together without being pulled. */
export interface RemoteImages {
  inspect(name: string, options?: RemoteOptions): Promise<RemoteDocument>;
  /** The configs of an image's platforms, by `os/arch/variant`. */
  configs(name: string, options?: RemoteOptions): Promise<ReadonlyMap<string, ImageConfig>>;
  /** Makes an index out of images and indexes (or takes a single one as it is). Writes nothing. */
  join(request: JoinRequest): Promise<JoinedImage>;
  /** Writes it under names, with all that it needs from other repositories. `onCopy` is told before each manifest from elsewhere. */
  push(
    joined: JoinedImage,
    tags: readonly string[],
    options?: RemoteOptions & { readonly onCopy?: (digest: string, from: string, to: string) => void },
  ): Promise<void>;
  /** Fails with ARTIFACT_TOO_LARGE. */
  readArtifact(name: string, options?: RemoteOptions): Promise<Artifact>;
  /** Sends blobs, and then the manifest that names them, under a name. */
  pushArtifact(
    name: string,
    artifact: { readonly manifest: Uint8Array; readonly blobs: readonly Uint8Array[] },
    options?: RemoteOptions,
  ): Promise<Descriptor>;
  lists(): Promise<ManifestLists>;
}

/** An image in a list that is being put together, with the platform that it stands there for. */
export interface ListedManifest {
  /** Canonical. */
  readonly name: string;
  readonly descriptor: Descriptor;
}

export interface ManifestList {
  /** Canonical. */
  readonly name: string;
  readonly manifests: readonly ListedManifest[];
}

/** What `platform` of a listed manifest is set to; what is left out stays. */
export interface ManifestPlatform {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
}

/** Lists of manifests kept in the store until they are pushed. (docker manifest) */
export interface ManifestLists {
  /** Undefined when there is none. */
  get(name: string): ManifestList | undefined;
  /** Fails with USAGE where there is one already, unless it may be amended. */
  create(name: string, images: readonly string[], options?: RemoteOptions & { readonly amend?: boolean }): Promise<ManifestList>;
  annotate(name: string, image: string, platform: ManifestPlatform): ManifestList;
  /** The index that the list stands for. */
  index(name: string): JoinedImage;
  remove(name: string): void;
}
