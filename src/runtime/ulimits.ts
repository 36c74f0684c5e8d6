import { VarveError } from "../errors/index.ts";
import type { Ulimit } from "./container-process.ts";
import type { HostFacts } from "./host-facts.ts";

/** A step's ulimits as rlimits; refuses what this machine would refuse later, with a reason. −1 is no limit. */
export function makeRlimits(ulimits: readonly Ulimit[], facts: HostFacts): { type: string; soft: number; hard: number }[] {
  // Limits are the machine's business: CAP_SYS_RESOURCE of a user namespace does not raise them.
  const mayRaise = !facts.userNamespace && facts.capabilities.includes("CAP_SYS_RESOURCE");
  return ulimits.map(({ name, soft, hard }) => {
    const own = facts.limits.find((limit) => limit.name === name);
    if (own === undefined) {
      const known = facts.limits.map((limit) => limit.name).join(", ");
      throw new VarveError("RUNTIME_ULIMIT", `there is no ulimit "${name}"`, { hint: `one of: ${known}` });
    }
    if (exceeds(soft, hard)) {
      throw new VarveError(
        "RUNTIME_ULIMIT",
        `ulimit ${name}: the soft limit ${show(soft)} is above the hard limit ${show(hard)}`,
      );
    }
    if (!mayRaise && exceeds(hard, own.hard)) {
      throw new VarveError(
        "RUNTIME_ULIMIT",
        `ulimit ${name}=${show(soft)}:${show(hard)} is above what this user may have (${show(own.hard)})`,
        {
          hint: `ask for at most ${name}=${show(own.hard)}, or raise the hard limit of whoever starts the build`,
        },
      );
    }
    return { type: `RLIMIT_${name.toUpperCase()}`, soft, hard };
  });
}

function exceeds(limit: number, bound: number): boolean {
  return bound !== -1 && (limit === -1 || limit > bound);
}

function show(limit: number): string {
  return limit === -1 ? "unlimited" : String(limit);
}
