import { closeSync, constants, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { flock, futimens } from "../sys/index.ts";

/** How long between two tries for what another holds, in milliseconds. */
export const pollMs = 25;

/** A file with a lock on it, which ends with `close` and with the process at the latest. */
export interface Held extends Disposable {
  readonly fd: number;
}

/** An open lock file of a folder, made where it is missing; nothing is locked yet. */
export function openLock(folder: string, name: "lock" | "transfer" | "seed" | "pick"): Held {
  const fd = openSync(join(folder, name), constants.O_RDWR | constants.O_CREAT, 0o600);
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

/**
 * Runs what chooses among the folders of a store with everybody else kept out. The work is short and does not wait: so
 * nobody who asks for a lock within it is refused because another was just asking, too.
 */
export async function choosing<T>(root: string, signal: AbortSignal, work: () => T): Promise<T> {
  mkdirSync(root, { recursive: true, mode: 0o711 });
  using pick = openLock(root, "pick");
  while (!flock(pick.fd, "exclusive", { block: false })) await sleep(1, undefined, { signal });
  return work();
}

/** Repeats a choice until it comes to a result. `onWait` is told once, after a second. */
export async function untilChosen<T>(
  root: string,
  { signal, onWait }: { readonly signal: AbortSignal; readonly onWait?: (() => void) | undefined },
  choose: () => T | undefined,
): Promise<T> {
  const begunMs = Date.now();
  for (let told = false; ;) {
    const chosen = await choosing(root, signal, choose);
    if (chosen !== undefined) return chosen;
    if (!told && Date.now() - begunMs >= 1000) {
      told = true;
      onWait?.();
    }
    await sleep(pollMs, undefined, { signal });
  }
}

/** The lock of a folder if it is free for that. Within {@link choosing} only. */
export function tryLock(folder: string, name: "lock" | "transfer", kind: "shared" | "exclusive"): Held | undefined {
  const held = openLock(folder, name);
  if (flock(held.fd, kind, { block: false })) return held;
  held[Symbol.dispose]();
  return undefined;
}

/** The time of its last use is that of a folder's lock file. */
export function stampUse({ fd }: Held): void {
  futimens(fd, { mtime: "now" });
}
