import type { ContainerMount } from "./container-process.ts";
import type { HostFacts } from "./host-facts.ts";
import type { OciMount } from "./oci-spec.ts";

const defaultShmBytes = 64 * 1024 * 1024;
const harmless = ["nosuid", "noexec", "nodev"];

/** Paths of /proc and /sys that are hidden from a step (containerd's list, as BuildKit has it). */
export const maskedPaths: readonly string[] = [
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
];

/** Paths of /proc that a step can read only. */
export const readonlyPaths: readonly string[] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

export interface DefaultMountOptions {
  /** Size of /dev/shm. Default 64 MiB. */
  readonly shmBytes?: number;
  /** /sys and its cgroups can be written. */
  readonly writableSystem: boolean;
  /** The network namespace is not the host's: without root only then sysfs can be mounted. */
  readonly ownNetwork: boolean;
}

/** What every container has mounted: OCI runtime-spec, config-linux.md, "Default Filesystems", as BuildKit and Docker set them. */
export function defaultMounts(options: DefaultMountOptions, facts: HostFacts): OciMount[] {
  const { singleId } = facts;
  const shmKib = Math.ceil((options.shmBytes ?? defaultShmBytes) / 1024);
  const terminals = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", ...(singleId ? [] : ["gid=5"])];
  return [
    { destination: "/proc", type: "proc", source: "proc", options: harmless },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"] },
    { destination: "/dev/pts", type: "devpts", source: "devpts", options: terminals },
    { destination: "/dev/shm", type: "tmpfs", source: "shm", options: [...harmless, "mode=1777", `size=${shmKib}k`] },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: harmless },
    ...systemMounts(options, facts),
  ];
}

/**
 * /sys and its cgroups. In a user namespace that does not own the network sysfs cannot be mounted: what is there is shown,
 * read-only with all that is mounted below it, which needs Linux 5.12; before that there is no /sys, as with BuildKit.
 */
function systemMounts(
  { writableSystem, ownNetwork }: DefaultMountOptions,
  { userNamespace, cgroupV2, kernel }: HostFacts,
): OciMount[] {
  const access = writableSystem ? "rw" : "ro";
  const sysfs: OciMount = { destination: "/sys", type: "sysfs", source: "sysfs", options: [...harmless, access] };
  const cgroup: OciMount = { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: [access, ...harmless] };
  if (userNamespace && ownNetwork) return cgroupV2 ? [sysfs, cgroup] : [sysfs];
  if (userNamespace) {
    const canFreeze = kernel.major > 5 || (kernel.major === 5 && kernel.minor >= 12);
    return canFreeze ? [{ destination: "/sys", type: "bind", source: "/sys", options: ["rbind", "rro", ...harmless] }] : [];
  }
  return [sysfs, cgroup];
}

/** A mount of the step. */
export function stepMount(mount: ContainerMount): OciMount {
  const { destination, readonly } = mount;
  if (mount.type === "tmpfs") {
    const size = mount.sizeBytes === undefined ? [] : [`size=${mount.sizeBytes}`];
    return { destination, type: "tmpfs", source: "tmpfs", options: ["nosuid", ...size, ...(readonly ? ["ro"] : [])] };
  }
  return {
    destination,
    type: "bind",
    source: mount.source,
    options: ["rbind", ...(mount.flags ?? []), ...(readonly ? ["ro"] : [])],
  };
}

/** Keeps the last mount of each destination, at the place of the first. */
export function withoutRepeats(mounts: readonly OciMount[]): OciMount[] {
  return [...new Map(mounts.map((mount) => [mount.destination, mount])).values()];
}
