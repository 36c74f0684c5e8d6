import type { SeccompArgument, SeccompProfile, SeccompRule } from "./oci-spec.ts";
import {
  allowedByArchitecture,
  allowedByCapability,
  alwaysAllowed,
  alwaysRefused,
  callingConventions,
  cloneNamespaceFlags,
  personalities,
  socketFamilies,
  tracing,
} from "./seccomp-profile.ts";

const eperm = 1;
const enosys = 38;

/** What the profile depends on. */
export interface SeccompFacts {
  /** Node's name (`process.arch`). */
  readonly architecture: string;
  readonly kernel: { readonly major: number; readonly minor: number };
  /** Of the step: its bounding set. */
  readonly capabilities: readonly string[];
  /**
   * True for a runtime that says EPERM also for calls newer than its libseccomp. C libraries fall back to older calls on ENOSYS
   * only, so the profile is then turned round: ENOSYS unless said otherwise, and EPERM for each call that is known and refused.
   */
  readonly refuseByName: boolean;
}

/** Docker's default profile for one machine and set of capabilities: what is not listed fails with EPERM. (OCI runtime-spec, config-linux.md, "Seccomp") */
export function makeSeccompProfile(facts: SeccompFacts): SeccompProfile {
  const { architecture, refuseByName } = facts;
  const names = allowedNames(facts);
  const conventions = callingConventions[architecture];
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: refuseByName ? enosys : eperm,
    ...(conventions === undefined ? {} : { architectures: conventions }),
    syscalls: [
      { names: [...names], action: "SCMP_ACT_ALLOW" },
      ...socketRules(),
      ...personalities.map((value) => allowWhen("personality", { index: 0, value, op: "SCMP_CMP_EQ" })),
      ...(names.has("clone") ? [] : cloneRules(architecture)),
      ...(refuseByName ? refusals(names, architecture) : []),
    ],
  };
}

function allowedNames({ architecture, kernel, capabilities }: SeccompFacts): ReadonlySet<string> {
  const names = new Set(alwaysAllowed);
  for (const name of allowedByArchitecture[architecture] ?? []) names.add(name);
  for (const capability of capabilities) {
    for (const name of allowedByCapability[capability] ?? []) names.add(name);
  }
  const { since } = tracing;
  if (kernel.major > since.major || (kernel.major === since.major && kernel.minor >= since.minor)) {
    for (const name of tracing.names) names.add(name);
  }
  return names;
}

/** EPERM by name. personality stays at ENOSYS: that it is none of five values is more than a rule can say. */
function refusals(allowed: ReadonlySet<string>, architecture: string): SeccompRule[] {
  const gated = Object.values(allowedByCapability).flat();
  const names = new Set(
    [...alwaysRefused, ...gated].filter((name) => !allowed.has(name) && name !== "clone" && name !== "clone3"),
  );
  const index = cloneFlagsIndex(architecture);
  return [
    { names: [...names], action: "SCMP_ACT_ERRNO", errnoRet: eperm },
    ...Object.values(socketFamilies).map((value) => refuseWhen("socket", { index: 0, value, op: "SCMP_CMP_EQ" })),
    ...(allowed.has("clone")
      ? []
      : cloneNamespaceFlags.map((value) => refuseWhen("clone", { index, value, valueTwo: value, op: "SCMP_CMP_MASKED_EQ" }))),
  ];
}

/** Two arguments of one rule must hold together, several rules for a call are alternatives: so the gaps are written as ranges. */
function socketRules(): SeccompRule[] {
  const { alg, vsock } = socketFamilies;
  return [
    allowWhen("socket", { index: 0, value: alg, op: "SCMP_CMP_LT" }),
    allowWhen("socket", { index: 0, value: alg + 1, op: "SCMP_CMP_EQ" }),
    allowWhen("socket", { index: 0, value: vsock, op: "SCMP_CMP_GT" }),
  ];
}

/** clone without new namespaces; clone3, whose flags a filter cannot see, is said not to exist: C libraries then fall back to clone. */
function cloneRules(architecture: string): SeccompRule[] {
  const mask = cloneNamespaceFlags.reduce((all, flag) => all + flag, 0);
  return [
    allowWhen("clone", { index: cloneFlagsIndex(architecture), value: mask, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }),
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: enosys },
  ];
}

function allowWhen(name: string, argument: SeccompArgument): SeccompRule {
  return { names: [name], action: "SCMP_ACT_ALLOW", args: [argument] };
}

function refuseWhen(name: string, argument: SeccompArgument): SeccompRule {
  return { names: [name], action: "SCMP_ACT_ERRNO", errnoRet: eperm, args: [argument] };
}

function cloneFlagsIndex(architecture: string): number {
  return architecture === "s390x" ? 1 : 0;
}
