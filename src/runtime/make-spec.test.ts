import assert from "node:assert/strict";
import { test } from "node:test";
import { isVarveError } from "../errors/index.ts";
import { defaultCapabilities, readCapabilities } from "./capabilities.ts";
import type { ContainerProcess } from "./container-process.ts";
import type { HostFacts } from "./host-facts.ts";
import { readLimits } from "./host-facts.ts";
import { makeSpec, type Bundle } from "./make-spec.ts";
import { writeSpec } from "./oci-spec.ts";
import { makeSeccompProfile } from "./seccomp.ts";

const facts: HostFacts = {
  architecture: "x64",
  kernel: { major: 6, minor: 1 },
  userNamespace: false,
  singleId: false,
  cgroupV2: true,
  capabilities: [...defaultCapabilities, "CAP_SYS_ADMIN"],
  limits: [
    { name: "nofile", soft: 1024, hard: 4096 },
    { name: "core", soft: 0, hard: -1 },
  ],
};
const step: ContainerProcess = {
  args: ["/bin/sh", "-c", "make"],
  env: ["PATH=/bin"],
  cwd: "/src",
  user: { uid: 0, gid: 0, additionalGids: [] },
  hostname: "",
  network: "host",
  security: "sandbox",
  ulimits: [],
  readonlyRoot: false,
  extraHosts: [],
  mounts: [],
};
const bundle: Bundle = {
  id: "run-1",
  runtime: "runc",
  rootPath: "/root",
  resolvConfPath: "/s/resolv.conf",
  hostsPath: "/s/hosts",
};
const failsWith = (code: string, pattern: RegExp) => (error: unknown) =>
  isVarveError(error) && error.code === code && pattern.test(error.message);

test("R10 a step's specification is BuildKit's", () => {
  const { seccomp, ...linux } = makeSpec(step, facts, bundle).linux;
  const spec = { ...makeSpec(step, facts, bundle), linux };
  const harmless = ["nosuid", "noexec", "nodev"];
  assert.equal(seccomp?.defaultErrnoRet, 1);
  assert.deepEqual(spec, {
    ociVersion: "1.0.2",
    root: { path: "/root", readonly: false },
    hostname: "buildkitsandbox",
    process: {
      terminal: false,
      user: { uid: 0, gid: 0, additionalGids: [0] },
      args: ["/bin/sh", "-c", "make"],
      env: ["PATH=/bin"],
      cwd: "/src",
      capabilities: {
        bounding: defaultCapabilities,
        effective: defaultCapabilities,
        permitted: defaultCapabilities,
        inheritable: [],
        ambient: [],
      },
      noNewPrivileges: false,
    },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc", options: harmless },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"] },
      {
        destination: "/dev/pts",
        type: "devpts",
        source: "devpts",
        options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
      },
      { destination: "/dev/shm", type: "tmpfs", source: "shm", options: [...harmless, "mode=1777", "size=65536k"] },
      { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: harmless },
      { destination: "/sys", type: "sysfs", source: "sysfs", options: [...harmless, "ro"] },
      { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro", ...harmless] },
      { destination: "/etc/resolv.conf", type: "bind", source: "/s/resolv.conf", options: [...harmless, "rbind", "ro"] },
      { destination: "/etc/hosts", type: "bind", source: "/s/hosts", options: [...harmless, "rbind", "ro"] },
    ],
    linux: {
      namespaces: [{ type: "pid" }, { type: "ipc" }, { type: "uts" }, { type: "mount" }, { type: "cgroup" }],
      maskedPaths: [
        "/proc/acpi",
        "/proc/asound",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/sys/firmware",
        "/sys/devices/virtual/powercap",
      ],
      readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
      cgroupsPath: "/varve/run-1",
      resources: { devices: [{ allow: false, access: "rwm" }] },
    },
  });
});

test("R07 only network none has a namespace of its own", () => {
  const types = (network: "host" | "none"): string[] =>
    makeSpec({ ...step, network }, facts, bundle).linux.namespaces.map(({ type }) => type);
  assert.equal(types("host").includes("network"), false);
  assert.equal(types("none").includes("network"), true);
});

test("R10 the primary group is among the additional ones, once (CVE-2022-36109)", () => {
  const groups = (additionalGids: number[]): readonly number[] =>
    makeSpec({ ...step, user: { uid: 1, gid: 2, additionalGids } }, facts, bundle).process.user.additionalGids;
  assert.deepEqual([groups([]), groups([3]), groups([3, 2])], [[2], [2, 3], [2, 3]]);
});

test("without root there are no cgroups, and /sys is the worker's, frozen with all below it", () => {
  const rootless = makeSpec(step, { ...facts, userNamespace: true }, bundle);
  assert.equal(rootless.linux.cgroupsPath, undefined);
  assert.equal(rootless.linux.resources, undefined);
  assert.deepEqual(rootless.mounts.find(({ destination }) => destination === "/sys")?.options.slice(0, 2), ["rbind", "rro"]);
  const old = makeSpec(step, { ...facts, userNamespace: true, kernel: { major: 5, minor: 11 } }, bundle);
  assert.equal(
    old.mounts.some(({ destination }) => destination.startsWith("/sys")),
    false,
  );
  assert.throws(
    () => makeSpec({ ...step, cgroupParent: "/x" }, { ...facts, userNamespace: true }, bundle),
    failsWith("RUNTIME_CGROUP", /without root/),
  );
});

test("with a single id nothing is asked of groups", () => {
  const spec = makeSpec(step, { ...facts, userNamespace: true, singleId: true }, bundle);
  assert.deepEqual(spec.process.user.additionalGids, []);
  assert.equal(
    spec.mounts.some(({ options }) => options.includes("gid=5")),
    false,
  );
});

test("R10 ulimits are written as asked, and refused when they cannot be had", () => {
  const spec = makeSpec({ ...step, ulimits: [{ name: "core", soft: 5, hard: -1 }] }, facts, bundle);
  assert.match(writeSpec(spec), /"rlimits":\[\{"type":"RLIMIT_CORE","soft":5,"hard":18446744073709551615\}\]/);
  const ask = (name: string, soft: number, hard: number, more: Partial<HostFacts> = {}) =>
    makeSpec({ ...step, ulimits: [{ name, soft, hard }] }, { ...facts, ...more }, bundle);
  assert.throws(() => ask("nofile", 10, 4097), failsWith("RUNTIME_ULIMIT", /above what this user may have \(4096\)/));
  assert.throws(() => ask("nofile", 10, -1), failsWith("RUNTIME_ULIMIT", /unlimited/));
  assert.throws(() => ask("nofile", 11, 10), failsWith("RUNTIME_ULIMIT", /soft limit 11 is above the hard limit 10/));
  assert.throws(() => ask("files", 1, 1), failsWith("RUNTIME_ULIMIT", /no ulimit "files"/));
  const strong = { capabilities: [...facts.capabilities, "CAP_SYS_RESOURCE"] };
  assert.equal(ask("nofile", 10, 5000, strong).process.rlimits?.[0]?.hard, 5000);
  assert.throws(() => ask("nofile", 10, 5000, { ...strong, userNamespace: true }), failsWith("RUNTIME_ULIMIT", /4096/));
});

test("R08 T31 insecure has every capability, nothing hidden, and the devices of disks and machines", () => {
  const spec = makeSpec({ ...step, security: "insecure" }, facts, bundle);
  assert.deepEqual(spec.process.capabilities.inheritable, facts.capabilities);
  assert.deepEqual([spec.linux.seccomp, spec.linux.maskedPaths, spec.linux.readonlyPaths], [undefined, [], []]);
  assert.ok(spec.linux.devices?.some(({ path }) => path === "/dev/fuse"));
  assert.equal(makeSpec({ ...step, security: "insecure" }, { ...facts, userNamespace: true }, bundle).linux.devices, undefined);
  assert.equal(makeSpec(step, facts, bundle).linux.devices, undefined);
});

test("a later mount replaces an earlier one of the same destination", () => {
  const mounts = makeSpec(
    { ...step, mounts: [{ type: "bind", source: "/h", destination: "/etc/hosts", readonly: true, flags: ["nodev"] }] },
    facts,
    bundle,
  ).mounts;
  const hosts = mounts.filter(({ destination }) => destination === "/etc/hosts");
  assert.deepEqual(hosts, [{ destination: "/etc/hosts", type: "bind", source: "/h", options: ["rbind", "nodev", "ro"] }]);
});

test("seccomp: what a capability opens is open with it only, and architectures bring their own calls", () => {
  const names = (capabilities: string[], architecture = "x64"): readonly string[] =>
    makeSeccompProfile({ architecture, kernel: { major: 6, minor: 1 }, capabilities, refuseByName: false }).syscalls[0]?.names ??
    [];
  assert.equal(names([]).includes("mount"), false);
  assert.equal(names(["CAP_SYS_ADMIN"]).includes("mount"), true);
  assert.equal(names([]).includes("chroot"), false);
  assert.equal(names([...defaultCapabilities]).includes("chroot"), true);
  assert.equal(names([], "arm64").includes("arch_prctl"), false);
  assert.equal(names([...defaultCapabilities]).length, 367);
});

test("seccomp: turned round for crun, every refused call is refused by name and no allowed one is", () => {
  const facts4 = { architecture: "x64", kernel: { major: 6, minor: 1 }, capabilities: defaultCapabilities };
  const straight = makeSeccompProfile({ ...facts4, refuseByName: false });
  const round = makeSeccompProfile({ ...facts4, refuseByName: true });
  assert.deepEqual([straight.defaultErrnoRet, round.defaultErrnoRet], [1, 38]);
  const allowed = new Set(straight.syscalls[0]?.names);
  const refused = round.syscalls.filter(({ errnoRet }) => errnoRet === 1).flatMap(({ names }) => names);
  assert.deepEqual(
    refused.filter((name) => allowed.has(name)),
    [],
  );
  for (const name of ["mount", "keyctl", "io_uring_setup", "socket", "clone", "unshare", "bpf"])
    assert.ok(refused.includes(name), name);
});

test("facts are read as the kernel writes them", () => {
  assert.deepEqual(readCapabilities("00000000a80425fb").toSorted(), [...defaultCapabilities].toSorted());
  const table =
    "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 unlimited            files     \n";
  assert.deepEqual(readLimits(table), [{ name: "nofile", soft: 1024, hard: -1 }]);
});
