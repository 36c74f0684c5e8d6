import { VarveError } from "../errors/index.ts";
import { makeSeccompProfile, type RuntimeName, type SeccompProfile } from "../runtime/index.ts";
import { readSeccompProfile } from "./seccomp-file.ts";
import type { ContainerFacts } from "./spec-inputs.ts";
import type { HostConfig } from "./types.ts";

/** What `--security-opt` asks for. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** `builtin`, `unconfined` or the text of a profile. */
  readonly seccomp: string;
  /** Nothing of /proc and /sys is hidden or frozen. */
  readonly unconfinedPaths: boolean;
  readonly writableCgroups?: boolean;
}

/**
 * Reads `--security-opt` as Docker does: `NAME=VALUE`, or the old `NAME:VALUE`. What is no option is CONTAINER_LIMIT; labels of SELinux and
 * profiles of AppArmor other than none are CONTAINER_UNSUPPORTED.
 */
export function readSecurity(options: readonly string[]): SecurityOptions {
  let security: SecurityOptions = { noNewPrivileges: false, seccomp: "builtin", unconfinedPaths: false };
  for (const option of options) {
    const [, name = "", value] = /^([^=:]+)(?:[=:](.*))?$/s.exec(option) ?? [];
    security = { ...security, ...readOption(option, name, value) };
  }
  return security;
}

function readOption(option: string, name: string, value: string | undefined): Partial<SecurityOptions> {
  switch (name) {
    case "no-new-privileges":
      return { noNewPrivileges: value === undefined || readBool(option, value) };
    case "writable-cgroups":
      return { writableCgroups: value === undefined || readBool(option, value) };
    case "seccomp":
      if (value === undefined || value === "") break;
      return { seccomp: value };
    case "systempaths":
      if (value !== "unconfined") break;
      return { unconfinedPaths: true };
    case "apparmor":
      if (value === "unconfined") return {};
      throw new VarveError("CONTAINER_UNSUPPORTED", `--security-opt ${option}: Varve loads no profiles of AppArmor`, {
        hint: "apparmor=unconfined is what containers have",
      });
    case "label":
      if (value === "disable") return {};
      throw new VarveError("CONTAINER_UNSUPPORTED", `--security-opt ${option}: Varve sets no labels of SELinux`, {
        hint: "label=disable is what containers have",
      });
  }
  throw new VarveError("CONTAINER_LIMIT", `invalid --security-opt 2: "${option}"`);
}

function readBool(option: string, text: string): boolean {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  throw new VarveError("CONTAINER_LIMIT", `invalid --security-opt 2: "${option}"`);
}

/** The seccomp profile of a container; undefined: none. */
export function seccompOf({
  host,
  facts,
  runtime,
  capabilities,
}: {
  readonly host: Pick<HostConfig, "privileged" | "securityOpt">;
  readonly facts: Pick<ContainerFacts, "architecture" | "kernel">;
  readonly runtime: RuntimeName;
  /** The bounding set. */
  readonly capabilities: readonly string[];
}): SeccompProfile | undefined {
  const { seccomp } = readSecurity(host.securityOpt);
  if (host.privileged || seccomp === "unconfined") return undefined;
  if (seccomp === "builtin") return makeSeccompProfile({ ...facts, capabilities, refuseByName: runtime === "crun" });
  return readSeccompProfile(seccomp, { ...facts, capabilities });
}
