import { VarveError } from "../errors/index.ts";
import type { ContainerFacts } from "./spec-inputs.ts";

/** A limit needs the controller that enforces it. */
export function needs(controller: string, flag: string, { cgroups, userNamespace }: ContainerFacts): void {
  if (cgroups.controllers.includes(controller)) return;
  if (userNamespace && cgroups.controllers.length > 0)
    throw missing(
      flag,
      `without root: systemd does not delegate the cgroup controller ${JSON.stringify(controller)} to users here`,
    );
  if (userNamespace) throw missing(flag, "without root: containers of ordinary users have no cgroups");
  throw missing(flag, `on this machine: the cgroup controller ${JSON.stringify(controller)} is not there`);
}

/** A value that Docker does not take, in its words. */
export function limit(message: string): VarveError {
  return new VarveError("CONTAINER_LIMIT", message);
}

/** What cannot be enforced. */
export function missing(flag: string, where: string): VarveError {
  return new VarveError("CONTAINER_UNSUPPORTED", `${flag} cannot be enforced ${where}`, {
    hint: "leave it out, or run as root; docs/run-flags.md says what needs what",
  });
}
