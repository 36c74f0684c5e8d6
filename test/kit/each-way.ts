import { after, describe, test } from "node:test";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { missingWay, ownWay, ways, type Way } from "./ways.ts";

/** The same tests as root and as an ordinary user, each in a sandbox that is checked for leaks at the end. */
export function describeEachWay(title: string, body: (box: Sandbox) => void): void {
  for (const way of ways) describeWay(`${title}, ${way.name}`, way, body);
  if (missingWay !== undefined) test(`${title}, as an ordinary user`, { skip: missingWay }, () => undefined);
}

/** Tests that say the same whoever builds: as the user of this process. */
export function describeOnce(title: string, body: (box: Sandbox) => void): void {
  describeWay(title, ownWay, body);
}

function describeWay(title: string, way: Way, body: (box: Sandbox) => void): void {
  describe(title, () => {
    const box = makeSandbox(way);
    body(box);
    // After whatever the body does at its end: what it started and stops there is no leak.
    after(async () => await box.remove());
  });
}
