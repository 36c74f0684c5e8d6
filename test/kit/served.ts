/** What tests ask of containers from outside of them. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Sandbox } from "./sandbox.ts";

/** What a container serves under `/name` at an address of this machine, once it does. Rejects when that takes two minutes. */
export async function fetchHere(address: string): Promise<string> {
  for (const begin = Date.now(); ; await sleep(100)) {
    try {
      return (await (await fetch(`http://${address}/name`)).text()).trim();
    } catch (error) {
      if (Date.now() - begin > 120_000) throw error;
    }
  }
}

/** Removes all containers of a store, with their volumes that have no name. */
export async function removeContainers(box: Sandbox): Promise<void> {
  const left = (await box.varve(["ps", "-aq"])).stdout.toString().split("\n").filter(Boolean);
  if (left.length > 0) await box.varve(["rm", "-fv", ...left]);
}
