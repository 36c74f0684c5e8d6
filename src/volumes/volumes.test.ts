import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openState } from "../state/index.ts";
import { openVolumes, volumesSchema } from "./open-volumes.ts";

const folder = mkdtempSync(join(tmpdir(), "varve-volumes-"));
after(() => rmSync(folder, { recursive: true }));

function open(name: string) {
  const root = join(folder, name);
  const never = () => assert.fail("nothing here needs privileges");
  return openVolumes({ state: openState(root, [volumesSchema]), root, privileged: { remove: never, measure: never } });
}
const usedBy = () => [];

test("a volume is a folder that everybody may enter, and creating it again changes nothing", async () => {
  const volumes = open("create");
  const volume = await volumes.create({ name: "data", labels: { a: "b" } });
  assert.deepEqual(
    { ...volume, createdMs: 0 },
    {
      name: "data",
      driver: "local",
      createdMs: 0,
      labels: { a: "b" },
      options: {},
      anonymous: false,
      mountpoint: join(folder, "create/volumes/data/_data"),
    },
  );
  assert.equal(statSync(volume.mountpoint).mode & 0o777, 0o755);
  assert.deepEqual(await volumes.create({ name: "data", labels: { other: "" } }), volume);
  assert.deepEqual(volumes.mountOf("data"), { type: "bind", source: volume.mountpoint, readonly: false });
});

test("a volume without a name gets a random one and Docker's mark", async () => {
  const volume = await open("anonymous").create();
  assert.match(volume.name, /^[0-9a-f]{64}$/);
  assert.equal(volume.anonymous, true);
  assert.deepEqual(volume.labels, { "com.docker.volume.anonymous": "" });
});

test("what cannot be made is refused in Docker's words", async () => {
  const volumes = open("refused");
  const refused = [
    [{ name: "a" }, "create a: volume name is too short, names should be at least two alphanumeric characters"],
    [{ name: "../x" }, /^create \.\.\/x: "\.\.\/x" includes invalid characters for a local volume name/],
    [{ name: "vol", driver: "foo" }, 'create vol: error looking up volume plugin foo: plugin "foo" not found'],
    [{ name: "vol", options: { foo: "bar" } }, 'create vol: invalid option: "foo"'],
    [{ name: "vol", options: { size: "1m" } }, "create vol: quota size requested but no quota support"],
    [{ name: "vol", options: { o: "bind" } }, 'create vol: missing required option: "device"'],
    [{ name: "vol", options: { type: "nfs", device: ":/x" } }, 'create vol: volumes of the type "nfs" are not supported'],
    [{ name: "vol", options: { o: "bind,nodev", device: "/x" } }, /the mount option nodev is not supported/],
  ] as const;
  for (const [request, message] of refused) await assert.rejects(volumes.create(request), { message });
  assert.deepEqual(volumes.list(), []);
});

test("options say what is mounted instead of the folder", async () => {
  const volumes = open("options");
  await volumes.create({ name: "tmp", options: { type: "tmpfs", device: "tmpfs", o: "size=1m,uid=5" } });
  await volumes.create({ name: "bound", options: { type: "none", device: folder, o: "bind,ro" } });
  assert.deepEqual(volumes.mountOf("tmp"), { type: "tmpfs", options: ["size=1m", "uid=5"] });
  assert.deepEqual(volumes.mountOf("bound"), { type: "bind", source: folder, readonly: true });
});

test("a volume takes what the image has once: while it is empty and was never mounted", async () => {
  const volumes = open("seed");
  const { mountpoint } = await volumes.create({ name: "fresh" });
  assert.equal(volumes.needsSeeding("fresh"), true);
  writeFileSync(join(mountpoint, "file"), "x");
  assert.equal(volumes.needsSeeding("fresh"), false);
  rmSync(join(mountpoint, "file"));
  volumes.markSeeded("fresh");
  assert.equal(volumes.needsSeeding("fresh"), false);
});

test("a volume in use stays, and a removed one is gone from the disk", async () => {
  const volumes = open("remove");
  const { mountpoint } = await volumes.create({ name: "data" });
  await assert.rejects(volumes.remove("data", { usedBy: () => ["c1", "c2"] }), {
    code: "VOLUME_IN_USE",
    message: "remove data: volume is in use - [c1, c2]",
  });
  await volumes.remove("data", { usedBy });
  assert.equal(existsSync(mountpoint), false);
  await assert.rejects(volumes.remove("data", { usedBy }), { message: "get data: no such volume" });
  await volumes.remove("data", { usedBy, force: true });
});

test("prune takes anonymous volumes that nobody uses, with all the named ones too, and none that have a device", async () => {
  const volumes = open("prune");
  const { name, mountpoint } = await volumes.create();
  writeFileSync(join(mountpoint, "file"), "12345");
  await volumes.create({ name: "kept", labels: { keep: "" } });
  await volumes.create({ name: "used" });
  await volumes.create({ name: "tmp", options: { type: "tmpfs", device: "tmpfs" } });
  const users = (volume: string) => (volume === "used" ? ["c1"] : []);
  assert.deepEqual(await volumes.prune({ usedBy: users }), { removed: [name], freedBytes: 5 });
  const accepts = ({ labels }: { readonly labels: Readonly<Record<string, string>> }) => !("keep" in labels);
  assert.deepEqual((await volumes.prune({ usedBy: users, all: true, accepts })).removed, []);
  assert.deepEqual((await volumes.prune({ usedBy: users, all: true })).removed, ["kept"]);
  assert.deepEqual(
    volumes.list().map((volume) => volume.name),
    ["tmp", "used"],
  );
});
