import type { OciSpec } from "../runtime/index.ts";
import type { ContainerFacts, ContainerLookups, ContainerPlace } from "./spec-inputs.ts";
import type { ContainerConfig } from "./types.ts";

/** Everything that a container's specification is made of. */
export interface SpecInputs {
  readonly config: ContainerConfig;
  readonly place: ContainerPlace;
  readonly lookups: ContainerLookups;
  readonly facts: ContainerFacts;
}

/**
 * The `config.json` of a container as Docker makes it. Pure. Fails with CONTAINER_… where the config asks for what this machine cannot
 * give: nothing is dropped.
 */
export function makeContainerSpec(_inputs: SpecInputs): OciSpec {
  throw new TypeError("not yet");
}
