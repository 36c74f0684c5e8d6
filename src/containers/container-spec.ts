import { keepLockedFlags, writeSpec } from "../runtime/index.ts";
import { readContainerFacts } from "./container-facts.ts";
import { lookUpContainer } from "./look-up.ts";
import { makeOciSpec } from "./oci-container.ts";
import type { SpecPlace } from "./spec-place.ts";
import type { ContainerConfig } from "./types.ts";

/**
 * The `config.json` of a container (OCI runtime-spec) as text, and the path of its cgroup, "" where it has none. Looks up groups, devices
 * and links in the mounted root, and makes mount points that are missing, which stay: only for the container's own mount namespace.
 * Fails with CONTAINER_… and RUNTIME_… where the config asks for what this machine cannot give.
 */
export function makeContainerSpec(
  config: ContainerConfig,
  place: SpecPlace,
): { readonly text: string; readonly cgroupsPath: string } {
  const facts = readContainerFacts(place.facts);
  const spec = makeOciSpec({ config, place, facts, lookups: lookUpContainer(config, place) });
  const mounts = facts.userNamespace ? keepLockedFlags(spec.mounts) : spec.mounts;
  return { text: writeSpec({ ...spec, mounts }), cgroupsPath: spec.linux.cgroupsPath ?? "" };
}
