import { lstatSync, readdirSync, statSync, type Stats } from "node:fs";
import { join } from "node:path";
import { VarveError } from "../errors/index.ts";
import { makeMountPoints, makeWorkingFolder, modeOf, type MountPoint } from "../runtime/index.ts";
import { splitDevice } from "../sys/index.ts";
import { lookupGroups, lookupUser } from "../tree/index.ts";
import type { ContainerDevice, ContainerLookups, ContainerPlace } from "./spec-inputs.ts";
import type { ContainerConfig } from "./types.ts";

const system: readonly MountPoint[] = ["/proc", "/dev", "/sys"].map((destination) => ({
  destination,
  kind: "folder",
  system: true,
}));
/** Made by the runtime, inside mounts of its own. */
const below = /^\/(?:proc|dev|sys)(?:\/|$)/;

/**
 * Looks up what a container's specification needs in its mounted root: its user and groups by the root's own files (links are followed
 * inside the root only), mount points and working folder, which are made where they are missing and stay in the container, and the
 * machine's devices. Only for the container's own mount namespace. Fails with TREE_USER, RUNTIME_CWD, RUNTIME_MOUNT_POINT and
 * CONTAINER_DEVICE.
 */
export function lookUpContainer(config: ContainerConfig, place: ContainerPlace): ContainerLookups {
  const { rootPath, mounts } = place;
  const { uid, gid, additionalGids, home } = lookupUser(rootPath, config.user);
  const user = { uid, gid, additionalGids: [...additionalGids, ...lookupGroups(rootPath, config.host.groupAdd)] };
  const modes = new Map(
    mounts.filter(({ type }) => type === "tmpfs").map(({ target }) => [target, modeOf(rootPath, target)] as const),
  );
  const points = makeMountPoints(rootPath, pointsOf(config, place));
  makeWorkingFolder(rootPath, {
    cwd: config.workingDir === "" ? "/" : config.workingDir,
    // Docker gives what it makes to root, whoever the container runs as.
    user: { uid: 0, gid: 0, additionalGids: [] },
    mounts: mounts.map(({ target }) => ({ type: "tmpfs", destination: target, readonly: false })),
  });
  return {
    ...user,
    home: home ?? "/",
    devices: config.host.privileged ? allDevices() : config.host.devices.flatMap(devicesAt),
    resolved: points.resolved,
    tmpfsModes: modes,
  };
}

function pointsOf(config: ContainerConfig, { mounts }: ContainerPlace): MountPoint[] {
  const wanted: MountPoint[] = [
    ...["/etc/resolv.conf", "/etc/hosts", "/etc/hostname"].map((destination): MountPoint => ({ destination, kind: "file" })),
    ...mounts.map(({ type, source, target }): MountPoint => {
      const isFolder = type === "tmpfs" || source === undefined || statSync(source).isDirectory();
      return { destination: target, kind: isFolder ? "folder" : "file" };
    }),
    ...(config.host.init ? [{ destination: initPlace, kind: "file" } as const] : []),
  ];
  // What lies below another mount is made there by the runtime.
  const covers = mounts.map(({ target }) => `${target.replace(/\/+$/, "")}/`);
  const isCovered = (path: string): boolean => covers.some((cover) => path.startsWith(cover) && path !== cover);
  return [...system, ...wanted.filter(({ destination }) => !below.test(destination) && !isCovered(destination))];
}

/** Where `--init` puts the init program, as Docker does. */
export const initPlace = "/sbin/docker-init";

function devicesAt({ host, container, access }: ContainerConfig["host"]["devices"][number]): readonly ContainerDevice[] {
  const stat = statSync(host, { throwIfNoEntry: false });
  if (stat === undefined) throw noDevice(host, "no such file or directory");
  if (!stat.isDirectory()) {
    const device = deviceOf(stat, container, access);
    if (device === undefined) throw noDevice(host, "not a device node");
    return [device];
  }
  const found = readdirSync(host, { recursive: true, encoding: "utf8" }).flatMap((name) => {
    const entry = lstatSync(join(host, name), { throwIfNoEntry: false });
    const device = entry === undefined ? undefined : deviceOf(entry, join(container, name), access);
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
    const device = stat === undefined ? undefined : deviceOf(stat, path, "rwm");
    return device === undefined ? [] : [device];
  });
}

function deviceOf(stat: Stats, path: string, access: string): ContainerDevice | undefined {
  if (!stat.isCharacterDevice() && !stat.isBlockDevice()) return undefined;
  const { major, minor } = splitDevice(stat.rdev);
  return {
    path,
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
    { details: { path } },
  );
}
