/** As Promise.all, but waits for every member, so that nothing is left running unseen. Throws the first failure in their order. */
export async function waitForAll<T>(promises: Iterable<Promise<T>>): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}
