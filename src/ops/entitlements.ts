import { VarveError } from "../errors/index.ts";
import type { ExecOp } from "../llb/index.ts";

/** What a build may be allowed beyond the sandbox (T30, T31), by BuildKit's names. */
export type Entitlement = "network.host" | "security.insecure";

/** The same as a set. Fails with ENTITLEMENT_UNKNOWN for another name, which only a caller without types can give. */
export function entitlementSet(names: readonly Entitlement[]): ReadonlySet<Entitlement> {
  const unknown = names.find((name) => name !== "network.host" && name !== "security.insecure");
  if (unknown !== undefined) throw new VarveError("ENTITLEMENT_UNKNOWN", `unknown entitlement ${String(unknown)}`);
  return new Set(names);
}

/** Fails with ENTITLEMENT_DENIED for a step that asks for what the build does not allow. Asked of every step before any runs. */
export function checkEntitlements(
  { network, security }: Pick<ExecOp, "network" | "security">,
  allowed: ReadonlySet<Entitlement>,
): void {
  const wanted = [
    ...(network === "host" ? ["network.host" as const] : []),
    ...(security === "insecure" ? ["security.insecure" as const] : []),
  ];
  const denied = wanted.find((entitlement) => !allowed.has(entitlement));
  if (denied === undefined) return;
  throw new VarveError("ENTITLEMENT_DENIED", `${denied} is not allowed`, { hint: `allow it with --allow ${denied}` });
}
