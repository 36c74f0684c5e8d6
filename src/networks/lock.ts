import { closeSync, constants, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { flock } from "../sys/index.ts";

/** How long between two tries, in milliseconds. */
const pollMs = 5;

/** Runs work that nobody else with the same file may run meanwhile. The lock ends with this process at the latest. */
export async function locked<T>(file: string, work: () => Promise<T>): Promise<T> {
  const fd = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    while (!flock(fd, "exclusive", { block: false })) await sleep(pollMs);
    return await work();
  } finally {
    closeSync(fd);
  }
}
