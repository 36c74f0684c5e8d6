import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { leasesSchema, openLeases } from "./leases.ts";
import { openState } from "./open-state.ts";

const folder = mkdtempSync(join(tmpdir(), "varve-leases-"));
after(() => rmSync(folder, { recursive: true }));

/** Two handles on one store, as two processes have them. */
function openTwo(name: string) {
  const open = () => {
    const state = openState(join(folder, name), [leasesSchema]);
    return { state, leases: openLeases({ state, now: () => 5 }) };
  };
  return [open(), open()] as const;
}

test("Q12 what one process claims, another sees, until the last hold ends: then it counts as used", () => {
  const [one, two] = openTwo("claims");
  const hold = one.leases.hold();
  const second = one.leases.hold();
  assert.equal(
    one.leases.claim(["snapshot/1", "snapshot/2"], () => true),
    true,
  );
  assert.deepEqual([...two.leases.claimed()].sort(), ["snapshot/1", "snapshot/2"]);
  hold[Symbol.dispose]();
  hold[Symbol.dispose]();
  assert.equal(two.leases.claimed().size, 2, "one hold is left");
  second[Symbol.dispose]();
  assert.equal(two.leases.claimed().size, 0);
  assert.deepEqual(two.leases.holders(), []);
  assert.deepEqual(two.leases.uses().get("snapshot/2"), { lastUsedMs: 5, count: 1 });
  two.leases.forgetUses(["snapshot/2"]);
  assert.deepEqual([...one.leases.uses().keys()], ["snapshot/1"]);
});

test("Q12 what is not there is not claimed, and a claim of several is all or none", () => {
  const [one, two] = openTwo("missing");
  using _hold = one.leases.hold();
  assert.equal(
    one.leases.claim(["snapshot/1"], () => false),
    false,
  );
  assert.equal(two.leases.claimed().size, 0);
  assert.equal(
    one.leases.claim(["snapshot/1"], () => true),
    true,
  );
  assert.equal(
    one.leases.claim(["snapshot/1"], () => assert.fail("asked again for what is claimed")),
    true,
  );
});

test("Q12 without a hold nothing is claimed", () => {
  const [one] = openTwo("unheld");
  assert.equal(
    one.leases.claim(["blob/x"], () => true),
    true,
  );
  assert.equal(one.leases.claimed().size, 0);
});

test("Q12 a lease whose process has died keeps nothing, and its claims count as uses of the time it began", () => {
  const [one, two] = openTwo("dead");
  one.state.run("INSERT INTO leases (id, owner, started) VALUES (9, 'another boot:1:1:1', 3)");
  one.state.run("INSERT INTO lease_claims (lease, thing) VALUES (9, 'snapshot/7')");
  assert.equal(two.leases.claimed().size, 0);
  two.leases.sweep();
  assert.deepEqual(one.state.all("SELECT * FROM leases"), []);
  assert.deepEqual(one.leases.uses().get("snapshot/7"), { lastUsedMs: 3, count: 1 });
});
