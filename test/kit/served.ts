/** What tests ask of containers from outside of them. */
import assert from "node:assert/strict";
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

/** A script that does what another does as soon as that succeeds, for a minute: servers listen when they are there, and names are known then. */
export function retry(script: string): string {
  return `i=0; until ${script}; do i=$((i + 1)); [ $i -lt 60 ] || exit 1; sleep 1; done`;
}

/**
 * Runs a container at a port that another one had, which must be nobody's of the store. Another program may have it for a while, as
 * its end of a connection: that is waited for.
 */
export async function runAtFreePort(box: Sandbox, port: string): Promise<void> {
  for (const begin = Date.now(); ; await sleep(500)) {
    const { code, stderr } = await box.varve(["run", "--rm", "-p", port, "busybox", "true"]);
    if (code === 0) return;
    assert.match(stderr, /failed to bind host port .* address already in use/);
    assert.ok(Date.now() - begin < 120_000, stderr);
  }
}
