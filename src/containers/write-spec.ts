import { keepLockedFlags, writeSpec } from "../runtime/index.ts";
import { readContainerFacts } from "./container-facts.ts";
import { makeContainerSpec } from "./container-spec.ts";
import { lookUpContainer } from "./look-up.ts";
import type { ContainerPlace } from "./spec-inputs.ts";
import type { ContainerConfig } from "./types.ts";

/**
 * The text of a container's `config.json`, with all that is looked up and made in its mounted root on the way: only for the container's
 * own (user and) mount namespace, before the runtime. `cgroupsPath` is undefined where the container has no cgroups of its own.
 */
export function makeContainerBundle(
  config: ContainerConfig,
  place: ContainerPlace,
): { readonly text: string; readonly cgroupsPath: string | undefined } {
  const facts = readContainerFacts();
  const spec = makeContainerSpec({ config, place, lookups: lookUpContainer(config, place), facts });
  const mounts = facts.userNamespace ? keepLockedFlags(spec.mounts) : spec.mounts;
  return { text: writeSpec({ ...spec, mounts }), cgroupsPath: spec.linux.cgroupsPath };
}
