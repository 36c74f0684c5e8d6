import { lstatSync, readdirSync, statSync, type Stats } from "node:fs";
import { join } from "node:path";
import { VarveError } from "../errors/index.ts";
import { makeMountPoints, modeOf, withHome, type MountPoint } from "../runtime/index.ts";
import { splitDevice } from "../sys/index.ts";
import { lookupGroups } from "../tree/index.ts";
import { containerEnv } from "./container-env.ts";
import type { ContainerDevice, ContainerLookups } from "./spec-inputs.ts";
import type { SpecPlace } from "./spec-place.ts";
import type { ContainerConfig } from "./types.ts";

const system: readonly MountPoint[] = ["/proc", "/dev", "/sys"].map((destination) => ({
  destination,
  kind: "folder",
  system: true,
}));
/** Made by the runtime, inside mounts of its own. */
const below = /^\/(?:proc|dev|sys)(?:\/|$)/;

/**
 * Looks up what a container's specification needs with its root mounted: groups by the root's own files (links are followed inside the
 * root only), mount points, which are made where they are missing and stay in the container, and the machine's
 * devices. Fails with TREE_USER, RUNTIME_MOUNT_POINT and CONTAINER_DEVICE.
 */
export function lookUpContainer(config: ContainerConfig, place: SpecPlace): ContainerLookups {
  const { rootPath, mounts, user } = place;
  const modes = new Map(
    mounts.filter(({ type }) => type === "tmpfs").map(({ target }) => [target, modeOf(rootPath, target)] as const),
  );
  const { resolved } = makeMountPoints(rootPath, pointsOf(config, place));
  return {
    groups: lookupGroups(rootPath, config.host.groupAdd),
    env: withHome(rootPath, { env: containerEnv(config), user }),
    devices: config.host.privileged ? allDevices() : config.host.devices.flatMap(devicesAt),
    resolved,
    files: new Set(mounts.filter((mount) => mount.type === "bind" && !isFolder(mount)).map(({ target }) => target)),
    tmpfsModes: modes,
  };
}

function pointsOf(config: ContainerConfig, { mounts }: SpecPlace): MountPoint[] {
  const wanted: MountPoint[] = [
    ...["/etc/resolv.conf", "/etc/hosts", "/etc/hostname"].map((destination): MountPoint => ({ destination, kind: "file" })),
    ...mounts.map((mount): MountPoint => ({ destination: mount.target, kind: isFolder(mount) ? "folder" : "file" })),
    ...(config.host.init ? [{ destination: initPlace, kind: "file" } as const] : []),
  ];
  // What lies below another mount is made there by the runtime.
  const covers = mounts.map(({ target }) => `${target.replace(/\/+$/, "")}/`);
  const isCovered = (path: string): boolean => covers.some((cover) => path.startsWith(cover) && path !== cover);
  return [...system, ...wanted.filter(({ destination }) => !below.test(destination) && !isCovered(destination))];
}

function isFolder(mount: SpecPlace["mounts"][number]): boolean {
  return mount.type === "tmpfs" || statSync(mount.source).isDirectory();
}

/** Where `--init` puts the init program, as Docker does. */
export const initPlace = "/sbin/docker-init";

function devicesAt({ host, container, access }: ContainerConfig["host"]["devices"][number]): readonly ContainerDevice[] {
  const stat = statSync(host, { throwIfNoEntry: false });
  if (stat === undefined) throw noDevice(host, "no such file or directory");
  if (!stat.isDirectory()) {
    const device = deviceOf(stat, host, { container, access });
    if (device === undefined) throw noDevice(host, "not a device node");
    return [device];
  }
  const found = readdirSync(host, { recursive: true, encoding: "utf8" }).flatMap((name) => {
    const entry = lstatSync(join(host, name), { throwIfNoEntry: false });
    const device =
      entry === undefined ? undefined : deviceOf(entry, join(host, name), { container: join(container, name), access });
    return device === undefined ? [] : [device];
  });
  if (found.length === 0) throw noDevice(host, "no device nodes in it");
  return found;
}

/** What a container has of its own, or must not share. */
const ownDevices = new Set(["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console"]);

/** Every device of the machine, for a privileged container. */
function allDevices(folder = "/dev"): readonly ContainerDevice[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (folder === "/dev" && ownDevices.has(entry.name)) return [];
    if (entry.isDirectory()) return allDevices(path);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    const device = stat === undefined ? undefined : deviceOf(stat, path, { container: path, access: "rwm" });
    return device === undefined ? [] : [device];
  });
}

function deviceOf(
  stat: Stats,
  hostPath: string,
  { container, access }: { readonly container: string; readonly access: string },
): ContainerDevice | undefined {
  if (!stat.isCharacterDevice() && !stat.isBlockDevice()) return undefined;
  const { major, minor } = splitDevice(stat.rdev);
  return {
    path: container,
    hostPath,
    type: stat.isBlockDevice() ? "b" : "c",
    major,
    minor,
    fileMode: stat.mode & 0o777,
    uid: stat.uid,
    gid: stat.gid,
    access,
  };
}

function noDevice(path: string, why: string): VarveError {
  return new VarveError(
    "CONTAINER_DEVICE",
    `error gathering device information while adding custom device ${JSON.stringify(path)}: ${why}`,
    {
      // Docker's: its client takes what is not there for the program.
      details: { path, exitCode: 127 },
    },
  );
}
