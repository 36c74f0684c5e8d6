import { VarveError } from "../errors/index.ts";
import { capabilityNames, defaultCapabilities, type OciCapabilities } from "../runtime/index.ts";
import type { ContainerFacts } from "./spec-inputs.ts";
import type { HostConfig } from "./types.ts";

/**
 * What a container may do: Docker's default set, plus `--cap-add`, minus `--cap-drop`; all of the machine's with `--privileged`. Nothing
 * is inheritable (CVE-2022-24769). A name that is no capability, or that this machine does not have, is CONTAINER_LIMIT.
 */
export function containerCapabilities(
  { capAdd, capDrop, privileged }: Pick<HostConfig, "capAdd" | "capDrop" | "privileged">,
  { capabilities: most }: Pick<ContainerFacts, "capabilities">,
): OciCapabilities {
  const given = tweak({ added: capAdd.map(read), dropped: capDrop.map(read), privileged }, most);
  return { bounding: given, effective: given, permitted: given, inheritable: [], ambient: [] };
}

function tweak(
  { added, dropped, privileged }: { added: readonly string[]; dropped: readonly string[]; privileged: boolean },
  most: readonly string[],
): readonly string[] {
  if (privileged) return most;
  for (const name of added) if (name !== all && !most.includes(name)) throw unknown(name, "cannot be given on this machine");
  const base = dropped.includes(all) ? [] : added.includes(all) ? most : defaultCapabilities;
  const own = base.filter((name) => most.includes(name) && !dropped.includes(name));
  // With both ALLs Docker gives what is added by name only.
  const extra = added.includes(all) && dropped.includes(all) ? most : added.filter((name) => name !== all);
  return [...new Set([...own, ...extra.filter((name) => !dropped.includes(all) || added.includes(name) || added.includes(all))])];
}

const all = "ALL";

function read(text: string): string {
  const upper = text.trim().toUpperCase();
  if (upper === all) return all;
  const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (!capabilityNames.includes(name)) throw unknown(text, "");
  return name;
}

function unknown(name: string, why: string): VarveError {
  return why === ""
    ? new VarveError("CONTAINER_LIMIT", `invalid CapAdd: unknown capability: "${name}"`)
    : new VarveError("CONTAINER_UNSUPPORTED", `the capability ${name} ${why}`);
}
