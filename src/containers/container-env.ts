import type { ContainerConfig } from "./types.ts";

const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The environment as Docker gives it: PATH, HOSTNAME and, with a terminal, TERM first, where the config does not set them. */
export function containerEnv({ env, hostname, tty }: Pick<ContainerConfig, "env" | "hostname" | "tty">): readonly string[] {
  const all = [defaultPath, `HOSTNAME=${hostname}`, ...(tty ? ["TERM=xterm"] : []), ...env];
  // One entry for each name, at the place of the first, with the value of the last. A name without a value takes the variable away.
  const byName = new Map<string, string>();
  for (const entry of all) {
    const name = entry.split("=", 1)[0] ?? "";
    if (entry.includes("=")) byName.set(name, entry);
    else byName.delete(name);
  }
  return [...byName.values()];
}
