import type { Stats } from "node:fs";
import { lgetxattr, lsetxattr } from "../sys/index.ts";

const yes = Buffer.from("y");

/** The attribute's name, by where the overlay keeps its marks. */
function opaqueAttribute(userXattr: boolean): string {
  return userXattr ? "user.overlay.opaque" : "trusted.overlay.opaque";
}

/** Hides what lower layers have in this folder. */
export function markOpaque(path: string | Buffer, userXattr: boolean): void {
  lsetxattr(path, opaqueAttribute(userXattr), yes);
}

/** Whether the folder hides what lower layers have in it. */
export function isOpaque(path: string | Buffer, userXattr: boolean): boolean {
  return lgetxattr(path, opaqueAttribute(userXattr))?.equals(yes) ?? false;
}

/** Whether this is overlay's sign that the name was deleted: a character device 0:0. */
export function isWhiteout(stats: Pick<Stats, "isCharacterDevice"> & { readonly rdev: number | bigint }): boolean {
  return stats.isCharacterDevice() && BigInt(stats.rdev) === 0n;
}

/** Attributes that belong to the overlay, or that only this machine's policy gave: they are neither packed nor unpacked. */
export function isForeignAttribute(name: string): boolean {
  if (name.startsWith("user.")) return name.startsWith("user.overlay.");
  return name !== "security.capability" && !name.startsWith("system.posix_acl_");
}
