import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  SysError,
  fdPath,
  flock,
  getrlimit,
  hasCode,
  lgetxattr,
  llistxattr,
  lremovexattr,
  lsetxattr,
  makeDevice,
  mknod,
  openFlags,
} from "./index.ts";
import { openInRoot, openPath, readLinkAt, setrlimit, splitDevice, statfsType, utimensNoFollow } from "./index.ts";
import { walkInRoot } from "./walk-in-root.ts";

const folder = mkdtempSync(join(tmpdir(), "varve-sys-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const denied =
  (...codes: string[]) =>
  (error: unknown) =>
    error instanceof SysError && hasCode(error, ...codes);

test("a failed call carries errno, code, call and path", () => {
  assert.throws(
    () => lsetxattr(join(folder, "absent"), "user.a", Buffer.from("x")),
    (error: unknown) => {
      assert.ok(error instanceof SysError);
      assert.deepEqual([error.errno, error.code, error.path], [2, "ENOENT", join(folder, "absent")]);
      return true;
    },
  );
  assert.throws(() => mknod(`${folder}/a\0b`, constants.S_IFIFO), denied("EINVAL"));
});

test("extended attributes keep bytes, also of names that are not UTF-8", () => {
  const path = Buffer.concat([Buffer.from(`${folder}/x`), Buffer.from([0xff, 0xfe])]);
  writeFileSync(path, "");
  const value = Buffer.from([0, 1, 2, 255]);
  lsetxattr(path, "user.one", value);
  lsetxattr(path, "user.empty", Buffer.alloc(0));
  lsetxattr(path, "user.long", Buffer.alloc(3000, 7));
  assert.deepEqual(
    llistxattr(path)
      .filter((name) => name.startsWith("user."))
      .toSorted(),
    ["user.empty", "user.long", "user.one"],
  );
  assert.deepEqual(lgetxattr(path, "user.one"), value);
  assert.equal(lgetxattr(path, "user.empty")?.length, 0);
  assert.equal(lgetxattr(path, "user.long")?.length, 3000);
  assert.equal(lgetxattr(path, "user.none"), undefined);
  lremovexattr(path, "user.one");
  assert.equal(lgetxattr(path, "user.one"), undefined);
  assert.deepEqual(llistxattr("/proc/self/status"), []);
});

test("device numbers survive packing, and a whiteout is 0:0", () => {
  for (const device of [
    { major: 0, minor: 0 },
    { major: 8, minor: 17 },
    { major: 4095, minor: 1_048_575 },
    { major: 70_000, minor: 3 },
  ]) {
    assert.deepEqual(splitDevice(makeDevice(device)), device);
  }
  assert.equal(makeDevice({ major: 8, minor: 17 }), 0x811n);
  mknod(join(folder, "pipe"), constants.S_IFIFO | 0o600);
  assert.ok(lstatSync(join(folder, "pipe")).isFIFO());
});

test("times of a link itself, before 1970, with nanoseconds", () => {
  const link = join(folder, "timed");
  symlinkSync("nowhere", link);
  utimensNoFollow(link, { mtime: { sec: -5n, nsec: 123_456_789 } });
  assert.equal(lstatSync(link, { bigint: true }).mtimeNs, -5_000_000_000n + 123_456_789n);
});

test("a lock that another open file holds is refused at once when not waiting", () => {
  writeFileSync(join(folder, "lock"), "");
  const [a, b] = [openSync(join(folder, "lock"), "r"), openSync(join(folder, "lock"), "r")];
  assert.equal(flock(a, "exclusive", { block: false }), true);
  assert.equal(flock(b, "shared", { block: false }), false);
  flock(a, "unlock", { block: false });
  assert.equal(flock(b, "shared", { block: false }), true);
  closeSync(a);
  closeSync(b);
});

test("limits of the process are read and can be lowered", () => {
  const before = getrlimit("core");
  assert.ok(before.soft <= before.hard);
  setrlimit("core", { soft: 0, hard: before.hard });
  assert.deepEqual(getrlimit("core"), { soft: 0, hard: before.hard });
  assert.equal(typeof statfsType("/"), "number");
});

function hostileRoot(): string {
  const root = mkdtempSync(join(folder, "root-"));
  mkdirSync(join(root, "etc"));
  mkdirSync(join(root, "a/b"), { recursive: true });
  writeFileSync(join(root, "etc/passwd"), "inside");
  symlinkSync("/etc/passwd", join(root, "absolute"));
  symlinkSync("../../../../etc/passwd", join(root, "a/climber"));
  symlinkSync("/", join(root, "a/top"));
  symlinkSync("loop", join(root, "loop"));
  return root;
}

for (const [name, open] of [
  ["openat2", openInRoot],
  [
    "the walk for old kernels",
    (fd: number, path: string | Buffer, o: { flags: number; mode?: number; followLast?: boolean; noSymlinks?: boolean }) =>
      walkInRoot(fd, path, {
        flags: o.flags,
        mode: o.mode ?? 0o666,
        followLast: o.followLast ?? true,
        noSymlinks: o.noSymlinks ?? false,
      }),
  ],
] as const) {
  test(`CVE class: path traversal; ${name} keeps every path and link inside the root`, () => {
    const root = hostileRoot();
    const rootFd = openPath(root);
    const read = (path: string): string => {
      const fd = open(rootFd, path, { flags: constants.O_RDONLY });
      const text = readFileSync(fd, "utf8");
      closeSync(fd);
      return text;
    };
    for (const path of [
      "etc/passwd",
      "/etc/passwd",
      "../../etc/passwd",
      "absolute",
      "a/climber",
      "a/top/a/top/etc/../absolute",
      "a/b/../../absolute",
    ]) {
      assert.equal(read(path), "inside", path);
    }
    for (const [path, code] of [
      ["loop", "ELOOP"],
      ["none/x", "ENOENT"],
      ["etc/passwd/x", "ENOTDIR"],
    ] as const) {
      assert.throws(
        () => read(path),
        (error: unknown) => hasCode(error, code),
        path,
      );
    }
    assert.throws(
      () => open(rootFd, "a/top/etc/passwd", { flags: constants.O_RDONLY, noSymlinks: true }),
      (error: unknown) => hasCode(error, "ELOOP"),
    );
    const link = open(rootFd, "a/climber", { flags: openFlags.path, followLast: false });
    assert.equal(readLinkAt(link), "../../../../etc/passwd");
    assert.throws(
      () => open(rootFd, "absolute", { flags: constants.O_RDONLY, followLast: false }),
      (error: unknown) => hasCode(error, "ELOOP"),
    );
    const made = open(rootFd, "a/b/new", {
      flags: constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY,
      mode: 0o640,
    });
    assert.equal(fstatSync(made).mode & 0o7777, 0o640);
    const itself = open(rootFd, "/", { flags: openFlags.path });
    assert.equal(fstatSync(itself).ino, fstatSync(rootFd).ino);
    assert.equal(lstatSync(`${fdPath(rootFd)}/a/b/new`).size, 0);
    for (const fd of [link, made, itself, rootFd]) closeSync(fd);
  });
}

test("mounts: overlay, binds, read-only, pivot, in a namespace of their own and in a user namespace", () => {
  const script = join(import.meta.dirname, "mounts.check.ts");
  const userNamespace = ["--user", "--map-root-user", "--mount"];
  for (const flags of process.getuid?.() === 0 ? [["--mount"], userNamespace] : [userNamespace]) {
    const run = spawnSync("unshare", [...flags, process.execPath, script], { encoding: "utf8" });
    assert.equal(run.status, 0, `${flags.join(" ")}: ${run.stderr}`);
    assert.match(run.stdout, /all mounts well/);
  }
});
