import { VarveError } from "../errors/index.ts";
import { defaultCapabilities } from "./capabilities.ts";
import { defaultHostname, type ContainerProcess, type ContainerUser } from "./container-process.ts";
import { defaultMounts, maskedPaths, readonlyPaths, stepMount, withoutRepeats } from "./default-mounts.ts";
import type { RuntimeName } from "./find-runtime.ts";
import type { HostFacts } from "./host-facts.ts";
import { insecureDevices } from "./insecure-devices.ts";
import type { OciCapabilities, OciLinux, OciMount, OciProcess, OciSpec } from "./oci-spec.ts";
import { makeSeccompProfile } from "./seccomp.ts";
import { makeRlimits } from "./ulimits.ts";

/** What a specification names that is not part of the process. */
export interface Bundle {
  /** The container's id; the last part of its cgroup's path. */
  readonly id: string;
  readonly runtime: RuntimeName;
  readonly rootPath: string;
  readonly resolvConfPath: string;
  readonly hostsPath: string;
}

/**
 * The `config.json` of a step as BuildKit makes it: Docker's capabilities with nothing inheritable (CVE-2022-24769), Docker's
 * seccomp profile, hidden paths, namespaces of its own for everything but the network. Pure.
 */
export function makeSpec(process: ContainerProcess, facts: HostFacts, bundle: Bundle): OciSpec {
  if (process.args.length === 0) throw new TypeError("a process needs a program");
  const capabilities = makeCapabilities(process, facts);
  const rlimits = makeRlimits(process.ulimits, facts);
  return {
    ociVersion: "1.0.2",
    root: { path: bundle.rootPath, readonly: process.readonlyRoot },
    hostname: process.hostname === "" ? defaultHostname : process.hostname,
    process: {
      terminal: false,
      user: makeUser(process.user, facts),
      args: process.args,
      env: process.env,
      cwd: process.cwd,
      capabilities,
      ...(rlimits.length === 0 ? {} : { rlimits }),
      noNewPrivileges: false,
    },
    mounts: withoutRepeats([
      ...defaultMounts(
        {
          ...(process.shmBytes === undefined ? {} : { shmBytes: process.shmBytes }),
          writableSystem: process.security === "insecure",
          // The steps' own network namespace is made by the runtime in the worker's user namespace; /sys stays the worker's there.
          ownNetwork: false,
        },
        facts,
      ),
      fileMount(bundle.resolvConfPath, "/etc/resolv.conf"),
      fileMount(bundle.hostsPath, "/etc/hosts"),
      ...process.mounts.map(stepMount),
    ]),
    linux: makeLinux(process, facts, { ...bundle, capabilities }),
  };
}

/** The user with its primary group among the others (CVE-2022-36109); where only one id is mapped groups cannot be set at all. */
export function makeUser({ uid, gid, additionalGids }: ContainerUser, { singleId }: HostFacts): OciProcess["user"] {
  return { uid, gid, additionalGids: singleId ? [] : [...new Set([gid, ...additionalGids])] };
}

function fileMount(source: string, destination: string): OciMount {
  return { destination, type: "bind", source, options: ["nosuid", "noexec", "nodev", "rbind", "ro"] };
}

function makeCapabilities({ security }: ContainerProcess, { capabilities: most }: HostFacts): OciCapabilities {
  const insecure = security === "insecure";
  const given = insecure ? most : defaultCapabilities.filter((name) => most.includes(name));
  return {
    bounding: given,
    effective: given,
    permitted: given,
    inheritable: insecure ? given : [],
    ambient: insecure ? given : [],
  };
}

function makeLinux(
  process: ContainerProcess,
  facts: HostFacts,
  { id, runtime, capabilities }: Bundle & { capabilities: OciCapabilities },
): OciLinux {
  const insecure = process.security === "insecure";
  const { userNamespace, cgroupV2 } = facts;
  return {
    namespaces: [
      { type: "pid" },
      { type: "ipc" },
      { type: "uts" },
      { type: "mount" },
      ...(process.network === "none" ? [{ type: "network" } as const] : []),
      // With version 1 a namespace over unusual hierarchies is EINVAL, and the paths are visible anyway.
      ...(cgroupV2 && !userNamespace ? [{ type: "cgroup" } as const] : []),
    ],
    maskedPaths: insecure ? [] : maskedPaths,
    readonlyPaths: insecure ? [] : readonlyPaths,
    // runc says ENOSYS for calls newer than its libseccomp by itself.
    ...(insecure
      ? {}
      : { seccomp: makeSeccompProfile({ ...facts, capabilities: capabilities.bounding, refuseByName: runtime === "crun" }) }),
    // a user namespace can make no devices
    ...(insecure && !userNamespace ? { devices: insecureDevices } : {}),
    ...makeCgroup(process, facts, id),
  };
}

/** The cgroup exists for its device rules: without them root could make the node of a disk and read it. A user namespace has no nodes. */
function makeCgroup(
  { cgroupParent, security }: ContainerProcess,
  { userNamespace }: HostFacts,
  id: string,
): Pick<OciLinux, "cgroupsPath" | "resources"> {
  if (userNamespace) {
    if (cgroupParent === undefined) return {};
    throw new VarveError("RUNTIME_CGROUP", `the cgroup parent "${cgroupParent}" cannot be had without root`, {
      hint: "leave out --cgroup-parent",
    });
  }
  const all = { access: "rwm" } as const;
  return {
    cgroupsPath: `${cgroupParent === undefined ? "" : cgroupParentPath(cgroupParent)}/varve/${id}`,
    resources: {
      devices:
        security === "insecure"
          ? [
              { allow: true, type: "c", ...all },
              { allow: true, type: "b", ...all },
            ]
          : [{ allow: false, ...all }],
    },
  };
}

/** A cgroup parent as an absolute path without a slash at its end; what is none is RUNTIME_CGROUP. */
export function cgroupParentPath(cgroupParent: string): string {
  if (/\.slice(:|$)|(^|\/)\.\.(\/|$)/.test(cgroupParent)) {
    throw new VarveError("RUNTIME_CGROUP", `the cgroup parent "${cgroupParent}" is not a plain path of cgroups`, {
      hint: "systemd's slices are not supported; give a path such as /builds",
    });
  }
  return `/${cgroupParent.replace(/^\/+|\/+$/g, "")}`;
}
