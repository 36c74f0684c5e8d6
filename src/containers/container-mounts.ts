import { defaultMounts, withoutRepeats, type OciMount } from "../runtime/index.ts";
import { initPlace } from "./look-up.ts";
import type { SpecInputs } from "./spec-inputs.ts";
import type { PlacedMount } from "./spec-place.ts";

/** A read-only root makes these no less writable. */
const alwaysWritable = new Set(["/proc", "/dev/pts", "/dev/shm", "/dev/mqueue", "/dev"]);

/**
 * All mounts of a container in the order of mounting: the usual ones without those that the user replaces, its files of the network,
 * the user's own by the depth of their place, and `--init`'s program.
 */
export function containerMounts(
  { config, place, lookups, facts }: SpecInputs,
  { withInit, writableCgroups }: { readonly withInit: boolean; readonly writableCgroups: boolean | undefined },
): readonly OciMount[] {
  const { host } = config;
  const { mounts } = place;
  const own = new Set(mounts.map(({ target }) => target));
  const writableSystem = host.privileged;
  const usual = defaultMounts(
    {
      ...(host.shmBytes === undefined ? {} : { shmBytes: host.shmBytes }),
      writableSystem,
      ownNetwork: host.networkMode !== "host",
    },
    facts,
  )
    .filter(({ destination }) => !own.has(destination) && !(own.has("/dev") && destination.startsWith("/dev/")))
    .map((mount) => (facts.userNamespace ? unowned(mount, place.namespaces) : mount))
    .flatMap((mount) => (mount.destination === "/dev/shm" ? sharedMemory(mount, host.ipcMode, place.sharedShm) : [mount]))
    .map((mount) => (mount.type === "cgroup" && writableCgroups === true ? writable(mount) : mount))
    .map((mount) => (host.readonlyRoot && !writableSystem && !alwaysWritable.has(mount.destination) ? frozen(mount) : mount));
  const networkFiles = [
    ["/etc/resolv.conf", place.files.resolvConf],
    ["/etc/hostname", place.files.hostname],
    ["/etc/hosts", place.files.hosts],
  ].flatMap(([destination = "", source = ""]): OciMount[] =>
    own.has(destination)
      ? []
      : [{ destination, type: "bind", source, options: ["rbind", "rprivate", ...(host.readonlyRoot ? ["ro"] : [])] }],
  );
  const asked = [...mounts]
    .toSorted((a, b) => depth(a.target) - depth(b.target))
    .map((mount) => askedMount(mount, { mode: lookups.tmpfsModes.get(mount.target), isFile: lookups.files.has(mount.target) }));
  const init: OciMount[] = withInit
    ? [{ destination: initPlace, type: "bind", source: place.initPath ?? "", options: ["bind", "ro"] }]
    : [];
  // In a user namespace nodes cannot be made; what the user may open outside can be bound.
  const devices = facts.userNamespace
    ? lookups.devices.map(({ path, hostPath }): OciMount => ({
        destination: path,
        type: "bind",
        source: hostPath,
        options: ["bind", "rprivate"],
      }))
    : [];
  return withoutRepeats([...usual, ...devices, ...networkFiles, ...asked, ...init]).map((mount) => ({
    ...mount,
    // The runtime gets places, not links to follow.
    destination: lookups.resolved.get(mount.destination) ?? mount.destination,
  }));
}

/** Of the root, so that mounts can travel where a volume asks for that (config-linux.md, "Rootfs Mount Propagation"). */
export function rootPropagation(mounts: readonly PlacedMount[]): string | undefined {
  const asked = mounts.map((mount) => (mount.type === "bind" ? (mount.propagation ?? "") : ""));
  if (asked.some((propagation) => propagation.endsWith("shared"))) return "shared";
  return asked.some((propagation) => propagation.endsWith("slave")) ? "rslave" : undefined;
}

function sharedMemory(mount: OciMount, mode: string, shared: string | undefined): OciMount[] {
  if (mode === "none") return [];
  const source = mode === "host" ? "/dev/shm" : shared;
  return [source === undefined ? mount : { ...mount, type: "bind", source, options: ["rbind", "rprivate"] }];
}

/**
 * In a user namespace /proc and the message queues can be mounted only for namespaces that belong to it: those of the machine are shown
 * as they are.
 */
function unowned(mount: OciMount, { pid, ipc }: SpecInputs["place"]["namespaces"]): OciMount {
  const isHosts = (mount.type === "proc" && pid === "host") || (mount.type === "mqueue" && ipc === "host");
  return isHosts ? { ...mount, type: "bind", source: mount.destination, options: ["rbind", ...mount.options] } : mount;
}

function askedMount(
  mount: PlacedMount,
  { mode, isFile }: { readonly mode: number | undefined; readonly isFile: boolean },
): OciMount {
  const { target: destination, readonly } = mount;
  if (mount.type === "bind") {
    const isAlone = isFile || mount.nonRecursive === true;
    const options = [isAlone ? "bind" : "rbind", ...(readonly ? [isAlone ? "ro" : "rro"] : []), mount.propagation ?? "rprivate"];
    return { destination, type: "bind", source: mount.source, options };
  }
  const options = mergeTmpfsOptions([
    "noexec",
    "nosuid",
    "nodev",
    "rprivate",
    ...(mode === undefined ? [] : [modeOption(mode)]),
    ...(readonly ? ["ro"] : []),
    ...mount.options,
  ]);
  return { destination, type: "tmpfs", source: "tmpfs", options };
}

function modeOption(mode: number): string {
  return `mode=${mode.toString(8).padStart(4, "0")}`;
}

const opposites: Readonly<Record<string, string>> = {
  exec: "noexec",
  suid: "nosuid",
  dev: "nodev",
  rw: "ro",
  atime: "noatime",
  diratime: "nodiratime",
  async: "sync",
  relatime: "norelatime",
};

/** Later options win over earlier ones of the same name or the opposite. */
function mergeTmpfsOptions(options: readonly string[]): string[] {
  const kindOf = (option: string): string => {
    const name = option.split("=", 1)[0] ?? "";
    return opposites[name] ?? name;
  };
  const byKind = new Map<string, string>();
  for (const option of options) {
    byKind.delete(kindOf(option));
    byKind.set(kindOf(option), option);
  }
  return [...byKind.values()];
}

function writable(mount: OciMount): OciMount {
  return { ...mount, options: mount.options.map((option) => (option === "ro" ? "rw" : option)) };
}

function frozen(mount: OciMount): OciMount {
  return mount.options.some((option) => option === "ro" || option === "rro")
    ? mount
    : { ...mount, options: [...mount.options, "ro"] };
}

function depth(path: string): number {
  return path.split("/").filter((part) => part !== "").length;
}
