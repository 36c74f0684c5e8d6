import { writeFileList } from "../explain/index.ts";
import { mountStack } from "../snapshots/index.ts";
import { openDirectoryTree } from "../tree/index.ts";
import { packText } from "../traces/index.ts";
import type { TaskContext } from "../worker/index.ts";
import { digestReading } from "./reading.ts";
import type { DigestParams } from "./tasks.ts";

/** Digest of a part of a stack, read through a read-only mount of it. */
export async function runDigestTask(
  { lowers, reading }: DigestParams,
  { scratch, userNamespace }: TaskContext<never>,
): Promise<{ digest: string; files?: Uint8Array }> {
  using root = mountStack({ lowers, scratch, userXattr: userNamespace });
  const tree = openDirectoryTree(root.path, { resetOwner: false });
  try {
    const list = writeFileList({ flat: true });
    const digest = digestReading(tree, reading, list);
    const text = list.text();
    return text === undefined ? { digest } : { digest, files: packText(text) };
  } finally {
    tree.close();
  }
}
