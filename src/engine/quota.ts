import type { Quota } from "../gc/index.ts";
import type { Parts } from "./parts.ts";

const opened = new WeakMap<Parts, Promise<Quota | undefined>>();

function quotaOf(parts: Parts): Promise<Quota | undefined> {
  let quota = opened.get(parts);
  if (!quota) opened.set(parts, (quota = import("./store-care.ts").then(({ openQuota }) => openQuota(parts))));
  return quota;
}

/** Runs work that writes to the store within the limits of varve.toml. Where there are none it is just run. */
export async function withinQuota<T>(parts: Parts, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const quota = parts.storeSettings === undefined ? undefined : await quotaOf(parts);
  return quota ? await quota.within(signal, work) : await work(signal);
}

/** After builds: what failed ones left above the limits goes now that nobody claims it. */
export async function settleQuota(parts: Parts): Promise<void> {
  await (await opened.get(parts))?.settle();
}
