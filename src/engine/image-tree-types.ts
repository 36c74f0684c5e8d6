import type { Digest } from "../oci/index.ts";

/** What names stand for: an image, or an index with those of several platforms. */
export interface ImageTree {
  /** Of the index or, where there is none, of the image. */
  readonly id: Digest;
  /** The image that the names stand for on this machine. */
  readonly image: Digest;
  /** Familiar; none for an image without a name. */
  readonly names: readonly string[];
  readonly usage: ImageUsage;
  /** The images of all platforms. */
  readonly platforms: readonly ImageOfPlatform[];
}

export interface ImageOfPlatform {
  readonly id: Digest;
  readonly platform: string;
  readonly usage: ImageUsage;
}

/** What an image takes of the store. */
export interface ImageUsage {
  /** Bytes of its documents and of its layers' blobs, as far as they are here. */
  readonly contentBytes: number;
  /** The same with the files of its layers. */
  readonly diskBytes: number;
  /** A container is made of it. */
  readonly inUse: boolean;
}
