import { statSync } from "node:fs";
import type { ContainerMount, ContainerProcess } from "./container-process.ts";
import type { MountPoint } from "./mount-points.ts";
import { freshMode } from "./tmpfs-modes.ts";

/** Docker leaves these in the layer when the image lacks them. */
const system: readonly MountPoint[] = ["/proc", "/dev", "/sys"].map((destination) => ({
  destination,
  kind: "folder",
  system: true,
}));

/** The mount points of a step in its root. What lies below another mount is made there, by the runtime, and gone with it. */
export function stepMountPoints({ mounts }: Pick<ContainerProcess, "mounts">): MountPoint[] {
  const points: MountPoint[] = [
    ...system,
    { destination: "/etc/resolv.conf", kind: "file" },
    { destination: "/etc/hosts", kind: "file" },
    // runc gives a tmpfs the permissions of the folder that it finds, whatever its options say.
    ...mounts.map((mount) => ({
      destination: mount.destination,
      kind: kindOf(mount),
      ...(mount.type === "tmpfs" ? { folderMode: freshMode } : {}),
    })),
  ];
  const covers = [...system, ...mounts].map(({ destination }) => `${destination.replace(/\/+$/, "")}/`);
  return points.filter(({ destination }) => !covers.some((cover) => destination.startsWith(cover) && destination !== cover));
}

function kindOf(mount: ContainerMount): MountPoint["kind"] {
  return mount.type === "tmpfs" || statSync(mount.source).isDirectory() ? "folder" : "file";
}
