import { closeSync, constants, openSync } from "node:fs";
import { sleep } from "../flow/index.ts";
import { flock, hasCode } from "../sys/index.ts";

const pollMs = 25;
/** What file systems of the network say that have no locks, or none on folders. */
const withoutLocks = ["EBADF", "ENOLCK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EINVAL"];

/**
 * Holds a folder with an image layout against everybody else who writes to its `index.json`: what they add stands in it by the time it
 * is read. Ends with `using`. Where the file system has no locks nothing is held.
 */
export async function holdLayout(folder: string, { signal }: { readonly signal: AbortSignal }): Promise<Disposable> {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    while (!flock(fd, "exclusive", { block: false })) await sleep(pollMs, { signal });
  } catch (error) {
    if (!hasCode(error, ...withoutLocks)) {
      closeSync(fd);
      throw error;
    }
  }
  return { [Symbol.dispose]: () => closeSync(fd) };
}
