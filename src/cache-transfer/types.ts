import type { ByteSource } from "../flow/index.ts";
import type { Descriptor, Digest, ImageReference } from "../oci/index.ts";

/** How the layers of a cache are packed. */
export interface Compressing {
  /** Default gzip. Layers that exist in another compression stay as they are, unless `forceCompression`. */
  readonly compression?: "gzip" | "zstd" | "uncompressed";
  /** gzip 0 to 9, zstd 0 to 22. */
  readonly compressionLevel?: number;
  readonly forceCompression?: boolean;
}

/** Cache mounts that a cache carries: all of them, or those with these ids. Varve only; BuildKit reads past them. */
export type CarriedNames = boolean | readonly string[];

interface Exporting extends Compressing {
  /** `min` (the default): layers of the result only; `max`: of every step. Either has the keys of every step (Q10). */
  readonly mode?: "min" | "max";
  /** An OCI image manifest (the default), or an index whose members are the layers (L64). */
  readonly imageManifest?: boolean;
  /** OCI's media types (the default), or Docker's; those are for an index only. */
  readonly ociMediaTypes?: boolean;
  /** false: a failure of the export fails the build. Default: a warning. */
  readonly ignoreError?: boolean;
  /** Default none. */
  readonly mounts?: CarriedNames;
}

/** Where a build's cache is written to (Q01-Q03). */
export type CacheExport =
  | (Exporting & {
      readonly type: "registry";
      readonly ref: string;
      /** Accept any certificate, or plain HTTP. */
      readonly insecure?: boolean;
    })
  | (Exporting & {
      readonly type: "local";
      /** A folder with an OCI layout; made where it is missing. */
      readonly dest: string;
      /** Default `latest`. Caches of other tags stay in the folder. */
      readonly tag?: string;
      /** Remove blobs that no tag needs any more. */
      readonly reset?: boolean;
    })
  | { readonly type: "inline"; readonly ignoreError?: boolean };

/** Where further caches are read from (Q02, Q03): written by Varve or BuildKit; of a registry also images with inline caches. */
export type CacheImport = {
  /** Cache mounts to fill from it, of those that have no content here. Default none. */
  readonly mounts?: CarriedNames;
} & (
  | { readonly type: "registry"; readonly ref: string; readonly insecure?: boolean }
  | { readonly type: "local"; readonly src: string; readonly tag?: string; readonly digest?: string }
);

/** A layer of a cache: a blob that is had by opening it, wherever it is. */
export interface CacheLayer {
  readonly blob: Pick<Descriptor, "mediaType" | "digest" | "size">;
  /** Digest of the tar in it. */
  readonly diffId: Digest;
  readonly open: (options: { readonly signal: AbortSignal }) => ByteSource;
  /** The repository that has the blob already, where it was read from one. */
  readonly from?: ImageReference;
}
