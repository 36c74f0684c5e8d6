import {
  cgroupParentPath,
  makeRlimits,
  makeUser,
  maskedPaths,
  readonlyPaths,
  type OciCapabilities,
  type OciLinux,
  type OciNamespace,
  type OciSpec,
} from "../runtime/index.ts";
import { checkContainer } from "./check-container.ts";
import { containerCapabilities } from "./container-capabilities.ts";
import { containerMounts, rootPropagation } from "./container-mounts.ts";
import { containerResources } from "./container-resources.ts";
import { initPlace } from "./look-up.ts";
import { readSecurity, seccompOf } from "./security-options.ts";
import type { ContainerFacts, SpecInputs } from "./spec-inputs.ts";
import type { SpecPlace } from "./spec-place.ts";
import type { ContainerConfig } from "./types.ts";

/**
 * The specification of a container as Docker makes it (moby's defaults, 28). Pure. Fails as {@link checkContainer} does where the config
 * asks for what this machine cannot give: nothing is dropped.
 */
export function makeOciSpec(inputs: SpecInputs): OciSpec {
  const { config, place, lookups, facts } = inputs;
  const { host, domainName = "" } = config;
  checkContainer(config, facts);
  const capabilities = containerCapabilities(host, facts);
  const rlimits = makeRlimits(host.ulimits, facts);
  const annotations = host.annotations ?? {};
  const withInit = host.init && host.pidMode === "private";
  const program = [...config.entrypoint, ...config.command];
  const security = readSecurity(host.securityOpt);
  return {
    ociVersion: "1.0.2",
    root: { path: place.rootPath, readonly: host.readonlyRoot },
    ...(host.utsMode === "private" ? { hostname: config.hostname } : {}),
    // A user namespace may not write the sysctl; runtimes that do not know the field yet are too old for much else.
    ...(host.utsMode === "private" && domainName !== "" && facts.userNamespace ? { domainname: domainName } : {}),
    process: {
      terminal: config.tty,
      user: makeUser({ ...place.user, additionalGids: [...place.user.additionalGids, ...lookups.groups] }, facts),
      args: withInit ? [initPlace, "--", ...program] : program,
      env: lookups.env,
      cwd: config.workingDir === "" ? "/" : config.workingDir,
      capabilities,
      ...(rlimits.length === 0 ? {} : { rlimits }),
      noNewPrivileges: security.noNewPrivileges,
      ...(host.oomScoreAdj === undefined ? {} : { oomScoreAdj: host.oomScoreAdj }),
    },
    mounts: containerMounts(inputs, { withInit, writableCgroups: security.writableCgroups }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    linux: makeLinux(inputs, capabilities),
  };
}

function makeLinux({ config, place, lookups, facts }: SpecInputs, capabilities: OciCapabilities): OciLinux {
  const { host } = config;
  const { privileged } = host;
  const security = readSecurity(host.securityOpt);
  const seccomp = seccompOf({ host, facts, runtime: place.runtime, capabilities: capabilities.bounding });
  const propagation = rootPropagation(place.mounts);
  const unhidden = privileged || security.unconfinedPaths;
  const { parent } = facts.cgroups;
  const sysctl = sysctlsOf(config, facts);
  return {
    namespaces: namespacesOf(config, place, facts),
    maskedPaths: unhidden ? [] : [...maskedPaths, "/proc/interrupts", ...facts.thermalPaths],
    readonlyPaths: unhidden ? [] : readonlyPaths,
    ...(seccomp === undefined ? {} : { seccomp }),
    // A user namespace can make no nodes: its devices are bound, as mounts.
    ...(lookups.devices.length === 0 || facts.userNamespace
      ? {}
      : { devices: lookups.devices.map(({ access: _access, hostPath: _hostPath, ...device }) => device) }),
    ...(Object.keys(sysctl).length === 0 ? {} : { sysctl }),
    ...(propagation === undefined ? {} : { rootfsPropagation: propagation }),
    ...(parent === undefined
      ? {}
      : {
          cgroupsPath: `${host.cgroupParent === undefined ? parent : cgroupParentPath(host.cgroupParent)}/${place.id}`,
          resources: containerResources(host, lookups.devices, facts),
        }),
  };
}

function namespacesOf({ host }: ContainerConfig, { namespaces }: SpecPlace, facts: ContainerFacts): OciNamespace[] {
  const kinds = (["pid", "ipc", "uts", "network"] as const).flatMap((type): OciNamespace[] => {
    const path = namespaces[type];
    if (path === "host") return [];
    return [path === undefined ? { type } : { type, path }];
  });
  const isPrivate = host.cgroupnsMode === undefined ? facts.cgroups.version === 2 : host.cgroupnsMode === "private";
  return [...kinds, { type: "mount" }, ...(isPrivate ? [{ type: "cgroup" } as const] : [])];
}

/** Docker's own, which its users rely on: ping and low ports without capabilities. Those of the config win. */
function sysctlsOf(
  { host, domainName = "" }: ContainerConfig,
  { userNamespace }: ContainerFacts,
): Readonly<Record<string, string>> {
  const ownNetwork = host.networkMode !== "host" && !host.networkMode.startsWith("container:");
  return {
    ...(host.utsMode === "private" && domainName !== "" && !userNamespace ? { "kernel.domainname": domainName } : {}),
    ...(ownNetwork && !userNamespace ? { "net.ipv4.ping_group_range": "0 2147483647" } : {}),
    ...(ownNetwork ? { "net.ipv4.ip_unprivileged_port_start": "0" } : {}),
    ...host.sysctls,
  };
}
