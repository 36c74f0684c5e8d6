import type { Annotation, Compression } from "../exporters/index.ts";

/** Takes bytes in order; resolves when more may come. */
export type ByteSink = (chunk: Uint8Array) => Promise<void>;

/** What every kind of image can be asked for: the attributes that BuildKit's image exporters share (features E20 to E29). */
export interface ImageSettings {
  /** Image references beside the build's tags. */
  readonly names?: readonly string[];
  /** Of layers that are new; those of the base keep theirs. Default gzip. */
  readonly compression?: Compression;
  /** gzip 0 to 9, default 5; zstd 0 to 22, default 3. */
  readonly compressionLevel?: number;
  /** Layers of the base in another compression are compressed again. */
  readonly forceCompression?: boolean;
  /** OCI's media types, or with false Docker's. Default true. */
  readonly ociMediaTypes?: boolean;
  /** Layers of the base may keep media types that forbid to distribute them. */
  readonly preferNondistLayers?: boolean;
  /** No file of a new layer is newer than the source date epoch. Changes nothing without one. */
  readonly rewriteTimestamp?: boolean;
  /** Seconds since 1970 instead of the build's SOURCE_DATE_EPOCH; null for none. */
  readonly sourceDateEpoch?: number | null;
  readonly annotations?: readonly Annotation[];
}

/** The image store, a registry, or both. */
export interface ImageOutput extends ImageSettings {
  readonly type: "image";
  /** Send it to the registry of every name. */
  readonly push?: boolean;
  /** Send it without a tag; the names have none then. */
  readonly pushByDigest?: boolean;
  /** The registries may have any certificate, or none. */
  readonly insecure?: boolean;
  /** Keep it in the image store. Default true. */
  readonly store?: boolean;
  /** The files of all layers are here afterwards. Default: those that the build needed. */
  readonly unpack?: boolean;
  /** The image is known by its digest under this repository too. */
  readonly danglingNamePrefix?: string;
  /** Only where there is no other name. */
  readonly danglingNameEmptyOnly?: boolean;
  /** The image is known by its digest under the repositories of its names. */
  readonly nameCanonical?: boolean;
}

/** An archive, or a folder with the layout that the archive would hold. */
export interface ArchiveOutput extends ImageSettings {
  readonly type: "oci" | "docker";
  /** A file path, or a sink that takes the bytes. With `tar: false` a folder. */
  readonly dest: string | ByteSink;
  /** false, for type oci alone: a layout in a folder, beside the images that are there. Default true. */
  readonly tar?: boolean;
}

/** An image that a running engine (Docker's, or Podman's) takes in over its API. */
export interface EngineOutput extends ImageSettings {
  readonly type: "docker";
  /** The engine's address: `unix:///path` or `tcp://host:port`. */
  readonly engine: string;
}

/** The files of the result. */
export interface FilesOutput {
  readonly type: "tar";
  readonly dest: string | ByteSink;
  /** A folder for each platform, `linux_amd64`. Default: when there are several. */
  readonly platformSplit?: boolean;
  /** As in {@link ImageSettings}: all files get this time. */
  readonly sourceDateEpoch?: number | null;
}

export interface FolderOutput extends Omit<FilesOutput, "type" | "dest"> {
  readonly type: "local";
  readonly dest: string;
  /** What is in the folder and not in the result stays (copy, the default) or goes (delete). */
  readonly mode?: "copy" | "delete";
}

/** Where a result goes. */
export type Output = ImageOutput | ArchiveOutput | EngineOutput | FilesOutput | FolderOutput | { readonly type: "cacheonly" };
