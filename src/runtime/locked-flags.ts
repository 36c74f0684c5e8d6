import { closeSync, openSync, readFileSync } from "node:fs";
import { openFlags } from "../sys/index.ts";
import type { OciMount } from "./oci-spec.ts";

const lockable = new Set(["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime"]);

/**
 * Adds to bind mounts the flags of what they show: in a user namespace a mount's flags are locked, and a runtime that remounts with
 * fewer is refused (mount_namespaces(7), "Restrictions on mount namespaces").
 */
export function keepLockedFlags(mounts: readonly OciMount[]): OciMount[] {
  const table = readMountOptions();
  return mounts.map((mount) => {
    if (mount.type !== "bind") return mount;
    const locked = (table.get(mountId(mount.source)) ?? []).filter((option) => lockable.has(option));
    return { ...mount, options: [...new Set([...mount.options, ...locked])] };
  });
}

function readMountOptions(): Map<string, string[]> {
  const table = new Map<string, string[]>();
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    const fields = line.split(" ");
    if (fields[0] !== undefined && fields[5] !== undefined) table.set(fields[0], fields[5].split(","));
  }
  return table;
}

function mountId(path: string): string {
  const fd = openSync(path, openFlags.path);
  try {
    return /^mnt_id:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "";
  } finally {
    closeSync(fd);
  }
}
