/** Run by sys.test.ts inside `unshare --mount`, alone and with `--user`: everything here vanishes with the process. */
import assert from "node:assert/strict";
import { closeSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import {
  bindFd,
  bindMount,
  hasCode,
  lgetxattr,
  makePrivate,
  mount,
  mountFlags,
  mountOverlay,
  openPath,
  pivotRoot,
  statfsType,
} from "./index.ts";
import { syncfs, unmount } from "./index.ts";
import { bindTheOldWay } from "./mount.ts";
import { mountWithString } from "./overlay.ts";

const userXattr = !readFileSync("/proc/self/uid_map", "utf8").includes("4294967295");
makePrivate();
mount("tmpfs", "/mnt", "tmpfs", mountFlags.nosuid, "mode=0755");
process.chdir("/mnt");
const at = (name: string): string => `/mnt/${name}`;
for (const name of ["target", "view", "bound", "up", "work", "up2", "work2"]) mkdirSync(at(name));
const lowers = Array.from({ length: 120 }, (_, i) => at(`lower-with-a-rather-long-name:and,odd-characters-${i}`));
for (const [i, lower] of lowers.entries()) {
  mkdirSync(`${lower}/dir`, { recursive: true });
  writeFileSync(`${lower}/dir/${i}`, String(i));
  writeFileSync(`${lower}/same`, String(i));
}

// Twice on one upper folder: what a volatile mount leaves behind must not refuse the second.
for (const [upper, work, mountIt] of [
  ["up", "work", mountOverlay],
  ["up", "work", mountOverlay],
  ["up2", "work2", mountWithString],
] as const) {
  mountIt({ lowers, upper: at(upper), work: at(work), target: at("target"), userXattr });
  assert.equal(statfsType(at("target")), 0x794c7630);
  assert.equal(readFileSync(at("target/same"), "utf8"), "119");
  rmSync(at("target/same"), { force: true });
  rmSync(at("target/dir"), { recursive: true, force: true });
  mkdirSync(at("target/dir"));
  writeFileSync(at("target/same"), "again");
  const fd = openPath(at("up"));
  assert.throws(
    () => syncfs(fd),
    (error: unknown) => hasCode(error, "EBADF"),
  );
  closeSync(fd);
  unmount(at("target"));
  assert.equal(lgetxattr(at(`${upper}/dir`), userXattr ? "user.overlay.opaque" : "trusted.overlay.opaque")?.toString(), "y");
  writeFileSync(`${lowers[119]}/same`, "119");
  rmSync(at(`${upper}/same`));
}
rmSync(at("up/dir"), { recursive: true });

mountOverlay({ lowers: lowers.slice(0, 2), target: at("view"), userXattr });
assert.deepEqual(readdirSync(at("view/dir")), ["0", "1"]);
assert.throws(
  () => writeFileSync(at("view/x"), ""),
  (error: unknown) => hasCode(error, "EROFS"),
);
unmount(at("view"), { detach: true });
assert.ok(!existsSync(at("view/dir")));
assert.throws(() => mountOverlay({ lowers: [at("none"), at("up")], target: at("view"), userXattr }), /ENOENT.*none/);

mkdirSync(at("up/sub"));
mount("tmpfs", at("up/sub"), "tmpfs", 0);
writeFileSync(at("up/sub/deep"), "");
const readonlyError = (error: unknown): boolean => hasCode(error, "EROFS");
bindMount(at("up"), at("bound"), { readonly: true, recursive: true });
assert.throws(() => writeFileSync(at("bound/x"), ""), readonlyError);
assert.throws(() => writeFileSync(at("bound/sub/x"), ""), readonlyError);
writeFileSync(at("up/x"), "");
unmount(at("bound"), { detach: true });
bindMount(at("up"), at("bound"));
assert.deepEqual(readdirSync(at("bound/sub")), []);
unmount(at("bound"));
bindTheOldWay(at("up"), at("bound"), { readonly: true });
assert.throws(() => writeFileSync(at("bound/y"), ""), readonlyError);
unmount(at("bound"));
const [from, onto] = [openPath(at("up")), openPath(at("bound"))];
bindFd(from, `/proc/self/fd/${onto}`, { readonly: true });
assert.throws(() => writeFileSync(at("bound/y"), ""), readonlyError);
unmount(at("bound"));
closeSync(from);
closeSync(onto);
writeFileSync(at("file"), "");
bindMount("/proc/self/status", at("file"), { readonly: true });
assert.match(readFileSync(at("file"), "utf8"), /^Name:/);

mkdirSync(at("newroot/old"), { recursive: true });
bindMount(at("newroot"), at("newroot"));
pivotRoot(at("newroot"), at("newroot/old"));
assert.deepEqual(readdirSync("/"), ["old"]);
assert.ok(lstatSync("/old/mnt/up").isDirectory());
process.stdout.write("all mounts well\n");
