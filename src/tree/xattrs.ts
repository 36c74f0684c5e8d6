import { errnoName } from "./tree-error.ts";
import { lgetxattr, llistxattr, lsetxattr } from "../sys/index.ts";

/**
 * Whether a copy keeps an attribute, and a digest counts it: file capabilities, ACLs, and whatever lies outside
 * `security.` and `system.`; never overlay's own marks, which would change what the copy is, nor those of other systems.
 */
function isKept(name: string): boolean {
  if (name === "security.capability" || name.startsWith("system.posix_acl_")) return true;
  return !/^(?:security|system|trusted\.overlay|user\.overlay|com\.apple)\./.test(name);
}

/** The attributes of a path (a link's own) that a copy keeps, sorted by name. Values that may not be read are left out. */
export function keptXattrs(place: string | Buffer): (readonly [string, Buffer])[] {
  const names = llistxattr(place);
  if (names.length === 0) return [];
  return names
    .filter(isKept)
    .sort()
    .flatMap((name) => {
      const value = lgetxattr(place, name);
      return value === undefined ? [] : [[name, value] as const];
    });
}

/** Sets attributes one by one. What the file system or our rights refuse is left out (C07); a full disk is an error. */
export function setXattrs(place: string | Buffer, attributes: readonly (readonly [string, Buffer])[]): void {
  for (const [name, value] of attributes) {
    try {
      lsetxattr(place, name, value);
    } catch (error) {
      if (["ENOSPC", "EDQUOT", "EIO"].includes(errnoName(error))) throw error;
    }
  }
}
