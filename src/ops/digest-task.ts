import { mountStack } from "../snapshots/index.ts";
import { contentDigest, openDirectoryTree } from "../tree/index.ts";
import type { TaskContext } from "../worker/index.ts";
import type { DigestParams } from "./tasks.ts";

/** Digest of a part of a stack, read through a read-only mount of it. */
export async function runDigestTask({ lowers, selector }: DigestParams, { scratch, userNamespace }: TaskContext<never>): Promise<string> {
  using root = mountStack({ lowers, scratch, userXattr: userNamespace });
  using tree = openDirectoryTree(root.path, { resetOwner: false });
  return contentDigest(tree, selector);
}
