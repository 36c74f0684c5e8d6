import assert from "node:assert/strict";
import { test } from "node:test";
import { isVarveError } from "../errors/index.ts";
import { sha256 } from "../oci/index.ts";
import { defaultCapabilities, type OciSpec } from "../runtime/index.ts";
import { checkContainer } from "./check-container.ts";
import { defaultHost } from "./fill-config.ts";
import { makeOciSpec } from "./oci-container.ts";
import type { ContainerFacts, ContainerLookups, SpecInputs } from "./spec-inputs.ts";
import type { SpecPlace } from "./spec-place.ts";
import type { ContainerConfig, HostConfig } from "./types.ts";

const facts: ContainerFacts = {
  architecture: "x64",
  kernel: { major: 6, minor: 1 },
  userNamespace: false,
  singleId: false,
  cgroupV2: false,
  capabilities: [...defaultCapabilities, "CAP_SYS_ADMIN", "CAP_NET_ADMIN"],
  limits: [{ name: "nofile", soft: 1024, hard: 4096 }],
  cgroups: {
    version: 1,
    controllers: ["cpu", "cpuset", "memory", "pids"],
    parent: "/varve-containers",
    cpuTime: true,
    swap: true,
    cpus: "0-1",
    memoryNodes: "0",
  },
  cpuCount: 2,
  thermalPaths: [],
};
/** Nothing is delegated to an ordinary user with cgroups v1. */
const ordinary: ContainerFacts = {
  ...facts,
  userNamespace: true,
  cgroups: { ...facts.cgroups, controllers: [], parent: undefined },
};
const config: ContainerConfig = {
  image: "busybox",
  imageId: sha256("an image"),
  platform: { os: "linux", architecture: "amd64" },
  entrypoint: [],
  command: ["sh"],
  env: [],
  labels: {},
  workingDir: "",
  user: "",
  hostname: "box",
  tty: false,
  openStdin: false,
  stdinOnce: false,
  stopSignal: "SIGTERM",
  exposedPorts: [],
  host: defaultHost,
};
const place: SpecPlace = {
  id: "c1",
  runtime: "runc",
  facts,
  rootPath: "/root",
  user: { uid: 0, gid: 0, additionalGids: [], home: "/root" },
  mounts: [],
  files: { hosts: "/f/hosts", resolvConf: "/f/resolv.conf", hostname: "/f/hostname" },
  namespaces: {},
};
const lookups: ContainerLookups = {
  groups: [],
  env: ["PATH=/bin"],
  devices: [],
  resolved: new Map(),
  files: new Set(),
  tmpfsModes: new Map(),
};

interface Change {
  readonly host?: Partial<HostConfig>;
  readonly config?: Partial<ContainerConfig>;
  readonly place?: Partial<SpecPlace>;
  readonly lookups?: Partial<ContainerLookups>;
  readonly facts?: ContainerFacts;
}

function inputs(change: Change = {}): SpecInputs {
  return {
    config: { ...config, ...change.config, host: { ...defaultHost, ...change.host } },
    place: { ...place, ...change.place },
    lookups: { ...lookups, ...change.lookups },
    facts: change.facts ?? facts,
  };
}
const make = (change?: Change): OciSpec => makeOciSpec(inputs(change));
const mountAt = (spec: OciSpec, path: string) => spec.mounts.find(({ destination }) => destination === path)?.options;
function refuses(change: Change, code: string, pattern: RegExp): void {
  const { config: asked, facts: known } = inputs(change);
  assert.throws(
    () => checkContainer(asked, known),
    (error) => isVarveError(error) && error.code === code && pattern.test(error.message),
  );
}

test("a container without flags has Docker's defaults", () => {
  const { process, linux, ...spec } = make();
  assert.deepEqual(process.capabilities.bounding, defaultCapabilities);
  assert.deepEqual([process.capabilities.inheritable, process.capabilities.ambient], [[], []]);
  assert.deepEqual([process.noNewPrivileges, process.rlimits, process.user.additionalGids], [false, undefined, [0]]);
  assert.equal(spec.hostname, "box");
  assert.deepEqual(
    linux.namespaces.map(({ type }) => type),
    ["pid", "ipc", "uts", "network", "mount"],
  );
  assert.deepEqual(linux.sysctl, { "net.ipv4.ping_group_range": "0 2147483647", "net.ipv4.ip_unprivileged_port_start": "0" });
  assert.ok(linux.maskedPaths.includes("/proc/interrupts"));
  assert.equal(linux.cgroupsPath, "/varve-containers/c1");
  assert.deepEqual(linux.resources, { devices: [{ allow: false, access: "rwm" }] });
  assert.deepEqual(mountAt({ process, linux, ...spec }, "/etc/hosts"), ["rbind", "rprivate"]);
});

test("privileged: every capability and device, nothing hidden, /sys to be written", () => {
  const kmsg = { path: "/dev/kmsg", hostPath: "/dev/kmsg", type: "c", major: 1, minor: 11, access: "rwm" } as const;
  const spec = make({ host: { privileged: true }, lookups: { devices: [kmsg] } });
  assert.deepEqual(spec.process.capabilities.bounding, facts.capabilities);
  assert.deepEqual([spec.linux.seccomp, spec.linux.maskedPaths, spec.linux.readonlyPaths], [undefined, [], []]);
  assert.deepEqual(spec.linux.devices, [{ path: "/dev/kmsg", type: "c", major: 1, minor: 11 }]);
  assert.deepEqual(spec.linux.resources?.devices, [{ allow: true, access: "rwm" }]);
  assert.ok(mountAt(spec, "/sys")?.includes("rw"));
});

test("capabilities are added and dropped by name, with and without CAP_", () => {
  const bounding = (capAdd: string[], capDrop: string[]) => make({ host: { capAdd, capDrop } }).process.capabilities.bounding;
  assert.deepEqual(bounding(["net_admin"], ["CAP_CHOWN"]), [...defaultCapabilities.slice(1), "CAP_NET_ADMIN"]);
  assert.deepEqual(bounding(["KILL"], ["ALL"]), ["CAP_KILL"]);
  assert.deepEqual(
    bounding(["ALL"], ["SYS_ADMIN"]),
    facts.capabilities.filter((name) => name !== "CAP_SYS_ADMIN"),
  );
  refuses({ host: { capAdd: ["FOO"] } }, "CONTAINER_LIMIT", /^invalid CapAdd: unknown capability: "CAP_FOO"$/);
  refuses({ host: { capAdd: ["BPF"] } }, "CONTAINER_UNSUPPORTED", /CAP_BPF/);
});

test("namespaces: the host's have no entry, another container's a path", () => {
  const spec = make({
    host: { pidMode: "host", utsMode: "host", networkMode: "container:x", ipcMode: "none", cgroupnsMode: "private" },
    place: { namespaces: { pid: "host", uts: "host", network: "/proc/7/ns/net" } },
  });
  assert.deepEqual(spec.linux.namespaces, [
    { type: "ipc" },
    { type: "network", path: "/proc/7/ns/net" },
    { type: "mount" },
    { type: "cgroup" },
  ]);
  assert.deepEqual([spec.hostname, spec.linux.sysctl, mountAt(spec, "/dev/shm")], [undefined, undefined, undefined]);
});

test("mounts: the user's replace the usual ones, by the depth of their place, read-only with all below", () => {
  const spec = make({
    host: { readonlyRoot: true, shmBytes: 1024 },
    place: {
      mounts: [
        { type: "bind", source: "/h", target: "/a/b/c", readonly: true },
        { type: "bind", source: "/h", target: "/etc/hosts", readonly: false, propagation: "rslave" },
        { type: "bind", source: "/h/file", target: "/etc/motd", readonly: true },
        { type: "tmpfs", target: "/t", readonly: false, options: ["exec", "size=1k", "mode=700"] },
      ],
    },
    lookups: { files: new Set(["/etc/motd"]), tmpfsModes: new Map([["/t", 0o755]]), resolved: new Map([["/a/b/c", "/real"]]) },
  });
  assert.deepEqual(mountAt(spec, "/real"), ["rbind", "rro", "rprivate"]);
  assert.deepEqual(mountAt(spec, "/etc/motd"), ["bind", "ro", "rprivate"]);
  assert.deepEqual(mountAt(spec, "/etc/hosts"), ["rbind", "rslave"]);
  assert.deepEqual(mountAt(spec, "/t"), ["nosuid", "nodev", "rprivate", "exec", "size=1k", "mode=700"]);
  assert.deepEqual(mountAt(spec, "/etc/hostname"), ["rbind", "rprivate", "ro"]);
  assert.ok(mountAt(spec, "/dev/shm")?.includes("size=1k"));
  assert.equal(spec.linux.rootfsPropagation, "rslave");
  assert.deepEqual(
    spec.mounts.slice(-1).map(({ destination }) => destination),
    ["/real"],
  );
});

test("limits are cgroups' own, in the words of version 1", () => {
  const { resources } = make({
    host: {
      resources: { memoryBytes: 2 ** 26, cpus: 1.5, cpuShares: 512, pidsLimit: 20, cpusetCpus: "0", memorySwappiness: 1 },
      deviceCgroupRules: ["c 1:* r"],
      cgroupParent: "mine",
    },
  }).linux;
  assert.deepEqual(resources, {
    devices: [
      { allow: false, access: "rwm" },
      { allow: true, type: "c", major: 1, access: "r" },
    ],
    memory: { limit: 2 ** 26, swap: 2 ** 27, swappiness: 1 },
    cpu: { shares: 512, period: 100_000, quota: 150_000, cpus: "0" },
    pids: { limit: 20 },
  });
  assert.equal(make({ host: { cgroupParent: "mine" } }).linux.cgroupsPath, "/mine/c1");
});

test("limits out of range are refused in Docker's words", () => {
  const wrong = (resources: HostConfig["resources"], pattern: RegExp) =>
    refuses({ host: { resources } }, "CONTAINER_LIMIT", pattern);
  wrong({ memoryBytes: 5 * 2 ** 20 }, /^Minimum memory limit allowed is 6MB$/);
  wrong({ memorySwapBytes: 2 ** 26 }, /^You should always set the Memory limit/);
  wrong({ memoryBytes: 2 ** 26, memorySwapBytes: 2 ** 25 }, /^Minimum memoryswap limit should be larger/);
  wrong({ cpus: 100 }, /^range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available$/);
  wrong({ cpus: 1, cpuQuotaUs: 5000 }, /^Conflicting options: Nano CPUs and CPU Quota/);
  wrong({ cpuPeriodUs: 1 }, /^CPU cfs period can not be less than 1ms/);
  wrong({ cpusetCpus: "0,5" }, /^Requested CPUs are not available - requested 0,5, available: 0-1$/);
  wrong({ cpusetCpus: "x" }, /^Invalid value x for cpuset cpus$/);
});

test("what cannot be enforced without root is refused by name, and nothing is dropped", () => {
  const cases: readonly (readonly [Partial<HostConfig>, RegExp])[] = [
    [
      { resources: { memoryBytes: 2 ** 26 } },
      /^--memory cannot be enforced without root: containers of ordinary users have no cgroups$/,
    ],
    [{ resources: { cpus: 1 } }, /^--cpus /],
    [{ resources: { pidsLimit: 5 } }, /^--pids-limit /],
    [{ resources: { cpusetCpus: "0" } }, /^--cpuset-cpus /],
    [{ resources: { cpuShares: 5 } }, /^--cpu-shares /],
    [{ cgroupParent: "/x" }, /^--cgroup-parent /],
    [{ deviceCgroupRules: ["c 1:1 r"] }, /^--device-cgroup-rule /],
    [{ devices: [{ host: "/dev/null", container: "/dev/x", access: "r" }] }, /with access r/],
    [{ oomScoreAdj: -5 }, /^--oom-score-adj /],
    [{ cgroupnsMode: "private" }, /^--cgroupns=private /],
  ];
  for (const [change, pattern] of cases) refuses({ host: change, facts: ordinary }, "CONTAINER_UNSUPPORTED", pattern);
  refuses({ host: { ulimits: [{ name: "nofile", soft: 1, hard: 5000 }] }, facts: ordinary }, "RUNTIME_ULIMIT", /4096/);
  const second: ContainerFacts = { ...facts, cgroupV2: true, cgroups: { ...facts.cgroups, version: 2, controllers: ["pids"] } };
  refuses(
    { host: { resources: { memoryBytes: 2 ** 26 } }, facts: second },
    "CONTAINER_UNSUPPORTED",
    /controller "memory" is not there/,
  );
  refuses({ host: { resources: { oomKillDisable: true } }, facts: second }, "CONTAINER_UNSUPPORTED", /cgroups v2/);
});

test("without root there are no cgroups and no ping sysctl, and devices are bound", () => {
  const fuse = { path: "/dev/f", hostPath: "/dev/fuse", type: "c", major: 10, minor: 229, access: "rwm" } as const;
  const spec = make({ facts: ordinary, lookups: { devices: [fuse] } });
  assert.deepEqual([spec.linux.cgroupsPath, spec.linux.resources, spec.linux.devices], [undefined, undefined, undefined]);
  assert.deepEqual(spec.linux.sysctl, { "net.ipv4.ip_unprivileged_port_start": "0" });
  assert.deepEqual(mountAt(spec, "/dev/f"), ["bind", "rprivate"]);
});

test("--init stands before the program, but not in another's pid namespace", () => {
  const asked = { host: { init: true }, place: { initPath: "/usr/bin/tini-static" } };
  assert.deepEqual(make(asked).process.args, ["/sbin/docker-init", "--", "sh"]);
  assert.deepEqual(mountAt(make(asked), "/sbin/docker-init"), ["bind", "ro"]);
  const shared = make({ host: { ...asked.host, pidMode: "host" }, place: { ...asked.place, namespaces: { pid: "host" } } });
  assert.deepEqual(shared.process.args, ["sh"]);
});

test("security options: no new privileges, a seccomp profile of Docker's format", () => {
  const spec = (...securityOpt: string[]) => make({ host: { securityOpt } });
  assert.equal(spec("no-new-privileges").process.noNewPrivileges, true);
  assert.equal(spec("no-new-privileges=false").process.noNewPrivileges, false);
  assert.equal(spec("seccomp=unconfined").linux.seccomp, undefined);
  assert.deepEqual(spec("systempaths=unconfined").linux.maskedPaths, []);
  const profile = {
    defaultAction: "SCMP_ACT_ERRNO",
    archMap: [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] }],
    syscalls: [
      { names: ["read"], action: "SCMP_ACT_ALLOW" },
      { names: ["mount"], action: "SCMP_ACT_ALLOW", includes: { caps: ["CAP_SYS_ADMIN"] } },
      { name: "old", action: "SCMP_ACT_ALLOW", excludes: { arches: ["amd64"] } },
    ],
  };
  assert.deepEqual(spec(`seccomp=${JSON.stringify(profile)}`).linux.seccomp, {
    defaultAction: "SCMP_ACT_ERRNO",
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
    syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW" }],
  });
  refuses({ host: { securityOpt: ["foo=bar"] } }, "CONTAINER_LIMIT", /^invalid --security-opt 2: "foo=bar"$/);
  refuses({ host: { securityOpt: ["apparmor=mine"] } }, "CONTAINER_UNSUPPORTED", /AppArmor/);
});
