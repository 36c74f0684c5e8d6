import type { Digest, ImageConfig, ImageReference, Manifest, Platform } from "../oci/index.ts";
import type { RegistryClient } from "../registry/index.ts";

/** Where the documents and layers of images come from: a registry, or a layout folder of the user's. */
export type ImageOrigin = Pick<RegistryClient, "resolve" | "fetchManifest" | "fetchBlob"> &
  Partial<Pick<RegistryClient, "rejectBlob">>;

/** An image that was found, not yet downloaded. */
export interface ResolvedImage {
  readonly reference: ImageReference;
  /** What pins it: digest of the index or manifest that the origin serves, or of the config for an image made here. */
  readonly digest: Digest;
  readonly config: ImageConfig;
  readonly configDigest: Digest;
  /** Absent for images made here and never exported. */
  readonly manifest: Manifest | undefined;
  /** Snapshots, where the store has them. */
  readonly layers: readonly number[] | undefined;
  /** Where what the store lacks is had. */
  readonly origin: ImageOrigin;
}

export interface TransferStatus {
  /** What is transferred: a layer's digest. */
  readonly id: string;
  /** Bytes. */
  readonly current: number;
  readonly total: number;
  readonly done: boolean;
}

export interface ResolveOptions {
  readonly platform: Platform;
  /** Ask the registry although the store has an image of that name. */
  readonly pull: boolean;
  readonly signal: AbortSignal;
  /** Told when an answer of the registry from an earlier day had to do. */
  readonly onWarning?: (message: string) => void;
  /** A layout folder to take the image from; its name in the store means nothing then. Default the registry. */
  readonly origin?: ImageOrigin;
}

export interface UseOptions {
  readonly signal: AbortSignal;
  readonly onStatus?: (status: TransferStatus) => void;
}

/** More than this is no config or manifest of an image (bytes). */
export const maxDocumentBytes = 8 * 1024 * 1024;
