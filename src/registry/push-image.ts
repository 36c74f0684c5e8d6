import { limiter, singleFlight, type ByteSource } from "../flow/index.ts";
import type { Descriptor, Digest, ImageReference } from "../oci/index.ts";
import type { RegistryClient } from "./client.ts";
import { registryLimits } from "./limits.ts";

/** A blob that an image names, and how to get at its bytes. */
export interface PushBlob extends Pick<Descriptor, "digest" | "size"> {
  /** May be called again after a break. */
  readonly open: () => ByteSource;
  /** Repositories of the same registry that may have the blob, the likeliest first. */
  readonly mountFrom?: readonly string[];
}

/** A manifest with its blobs, or an index with its manifests. */
export interface PushTree {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly blobs?: readonly PushBlob[];
  readonly manifests?: readonly PushTree[];
}

/** How far a blob is. */
export interface PushStatus {
  readonly digest: Digest;
  /** Bytes sent, of `total`. */
  readonly current: number;
  readonly total: number;
  /** There once the blob is at the registry. */
  readonly how?: "exists" | "mounted" | "uploaded";
  /** The repository that it was mounted from. */
  readonly from?: string;
}

export interface PushImageOptions {
  readonly signal?: AbortSignal;
  readonly onStatus?: (status: PushStatus) => void;
  /** Blobs that are sent at the same time; by default as the client's limits say. */
  readonly lanes?: number;
}

/** What sends: a registry client, or whoever takes its place. */
export type PushTarget = Pick<RegistryClient, "pushBlob" | "pushManifest"> & Partial<Pick<RegistryClient, "limits">>;

/** Sends what images are made of, several blobs at a time and each once. */
export interface ImagePusher {
  /** Sends a blob as soon as there is room: also one that is ready before its manifest is. */
  blob(blob: PushBlob): Promise<void>;
  /**
   * Sends what the tree names, then its document: under the reference's tag, or by its digest alone where there is no tag.
   * What an index names goes by digest. A failure ends the other transfers of the tree before it is thrown.
   */
  tree(tree: PushTree): Promise<Descriptor>;
}

export function createImagePusher(client: PushTarget, ref: ImageReference, options: PushImageOptions = {}): ImagePusher {
  const lanes = limiter(options.lanes ?? client.limits?.parallelUploads ?? registryLimits.parallelUploads);
  const flights = singleFlight<Digest, void>();
  const sent = new Set<Digest>();

  const sendOne = async (blob: PushBlob, signal: AbortSignal): Promise<void> => {
    const { digest, size, mountFrom } = blob;
    const tell = (status: Omit<PushStatus, "digest" | "total">): void => options.onStatus?.({ digest, total: size, ...status });
    tell({ current: 0 });
    const pushed = await lanes.run(
      () =>
        client.pushBlob(ref, { digest, size }, blob.open, {
          signal,
          onProgress: (current) => tell({ current }),
          ...(mountFrom === undefined ? {} : { mountFrom }),
        }),
      { signal },
    );
    sent.add(digest);
    tell({ current: size, ...pushed });
  };
  const send = async (blob: PushBlob, signal: AbortSignal | undefined): Promise<void> => {
    if (sent.has(blob.digest)) return;
    await flights.run(blob.digest, (flight) => sendOne(blob, flight), { signal });
  };
  const sendTree = async (tree: PushTree, target: ImageReference, signal: AbortSignal | undefined): Promise<Descriptor> => {
    const failing = new AbortController();
    const joined = signal === undefined ? failing.signal : AbortSignal.any([signal, failing.signal]);
    const { tag: _, digest: __, ...repository } = ref;
    const parts = [
      ...(tree.blobs ?? []).map((blob) => send(blob, joined)),
      ...(tree.manifests ?? []).map((child) => sendTree(child, repository, joined)),
    ];
    try {
      await Promise.all(parts);
    } catch (error) {
      failing.abort(error);
      await Promise.allSettled(parts);
      throw error;
    }
    return await client.pushManifest(target, tree.mediaType, tree.bytes, { signal });
  };
  return {
    blob: (blob) => send(blob, options.signal),
    tree: (tree) => sendTree(tree, ref, options.signal),
  };
}

/** Sends an image or an index with all that it names; see {@link ImagePusher.tree}. */
export async function pushImage(
  client: PushTarget,
  ref: ImageReference,
  tree: PushTree,
  options: PushImageOptions = {},
): Promise<Descriptor> {
  return await createImagePusher(client, ref, options).tree(tree);
}
