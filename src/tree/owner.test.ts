import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { truncateSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { plant, type Planted } from "./fixture.test.ts";
import { lookupUser, resolveOwner, type OwnerIds } from "./owner.ts";

const accounts: Record<string, Planted> = {
  "etc/passwd":
    "root:x:0:0:root:/root:/bin/sh\n\n  app:x:1000:1001:App:/home/app:/bin/sh\nodd:x:abc:7\napp:x:5:5::/second:\n12:x:34:34::/named:\n",
  "etc/group": "# comment\nroot:x:0:\napp:x:1001:\nstaff:x:50:app,other\nwheel:x:10:app\n",
};

const named = (name: string, input = 0) => ({ kind: "name", name, input }) as const;
const byId = (id: number) => ({ kind: "id", id }) as const;

function owners(t: TestContext, files = accounts): (owner: Parameters<typeof resolveOwner>[0]) => OwnerIds | undefined {
  const root = plant(t, files);
  return (owner) => resolveOwner(owner, { rootOf: () => root });
}

test("C08 a user by number has the group of that number, a named one its own group", (t) => {
  const resolve = owners(t);
  assert.equal(resolve(undefined), undefined);
  assert.deepEqual(resolve({ user: byId(7) }), { uid: 7, gid: 7 });
  assert.deepEqual(resolve({ user: byId(7), group: byId(8) }), { uid: 7, gid: 8 });
  assert.deepEqual(resolve({ user: named("app") }), { uid: 1000, gid: 1001 });
  assert.deepEqual(resolve({ user: named("app"), group: named("staff") }), { uid: 1000, gid: 50 });
  assert.deepEqual(resolve({ group: named("staff") }), { uid: 0, gid: 50 });
  assert.deepEqual(resolve({ user: named("odd") }), { uid: 0, gid: 7 });
});

test("C08 unknown names are quietly 0, also where there is no file", (t) => {
  for (const files of [accounts, {}]) {
    const resolve = owners(t, files);
    assert.deepEqual(resolve({ user: named("nobody") }), { uid: 0, gid: 0 });
    assert.deepEqual(resolve({ user: byId(7), group: named("none") }), { uid: 7, gid: 7 });
  }
});

test("L33 each name is looked up in its own input", (t) => {
  const roots = [plant(t, accounts), plant(t, { "etc/group": "staff:x:99:\n" })];
  const ids = resolveOwner({ user: named("app", 0), group: named("staff", 1) }, { rootOf: (input) => roots[input] ?? "" });
  assert.deepEqual(ids, { uid: 1000, gid: 99 });
});

test("C08 CVE-2024-9676 the files are found through links inside the root, and only plain ones of sane size are read", (t) => {
  const linked = owners(t, { "etc/passwd": { link: "/usr/passwd" }, "usr/passwd": "in:x:3:4\n", "usr/": {} });
  assert.deepEqual(linked({ user: named("in") }), { uid: 3, gid: 4 });
  const escaping = owners(t, { "etc/passwd": { link: "../../../../../../etc/passwd" } });
  assert.throws(() => escaping({ user: named("root") }), { code: "TREE_LOOP" });
  const fifo = plant(t, { "etc/": {} });
  spawnSync("mkfifo", [join(fifo, "etc/passwd")]);
  assert.throws(() => resolveOwner({ user: named("a") }, { rootOf: () => fifo }), { code: "TREE_USER_FILE" });
  const large = plant(t, { "etc/passwd": "" });
  truncateSync(join(large, "etc/passwd"), 10 * 1024 * 1024 + 1);
  assert.throws(() => resolveOwner({ user: named("a") }, { rootOf: () => large }), { code: "TREE_USER_FILE" });
  const huge = owners(t, { "etc/passwd": "big:x:99999999999:1\n" });
  assert.throws(() => huge({ user: named("big") }), { code: "TREE_USER" });
});

test("I11 USER takes names and numbers, with the groups that list the user", (t) => {
  const root = plant(t, accounts);
  const nothing = { additionalGids: [], home: undefined };
  assert.deepEqual(lookupUser(root, ""), { uid: 0, gid: 0, additionalGids: [], home: "/root" });
  assert.deepEqual(lookupUser(root, "app"), { uid: 1000, gid: 1001, additionalGids: [50, 10], home: "/home/app" });
  assert.deepEqual(lookupUser(root, "1000"), lookupUser(root, "app"));
  assert.deepEqual(lookupUser(root, "4000"), { uid: 4000, gid: 0, ...nothing });
  assert.deepEqual(lookupUser(root, "app:staff"), { uid: 1000, gid: 50, additionalGids: [], home: "/home/app" });
  assert.deepEqual(lookupUser(root, "app:77"), { uid: 1000, gid: 77, additionalGids: [], home: "/home/app" });
  assert.deepEqual(lookupUser(root, "8:9"), { uid: 8, gid: 9, ...nothing });
  assert.deepEqual(lookupUser(root, "root:root"), { uid: 0, gid: 0, ...nothing });
  assert.deepEqual(lookupUser(root, "12"), { uid: 12, gid: 0, ...nothing });
});

test("I11 an unknown user or group is an error at RUN time", (t) => {
  const root = plant(t, accounts);
  for (const user of ["nobody", "app:none", "nobody:0", "-1", "4294967296", "App"]) {
    assert.throws(() => lookupUser(root, user), { code: "TREE_USER" }, user);
  }
  const empty = plant(t);
  assert.deepEqual(lookupUser(empty, ""), { uid: 0, gid: 0, additionalGids: [], home: undefined });
  assert.deepEqual(lookupUser(empty, "root:0"), { uid: 0, gid: 0, additionalGids: [], home: undefined });
  assert.throws(() => lookupUser(empty, "root"), { code: "TREE_USER" });
});
