import { VarveError } from "../errors/index.ts";
import { capabilityNames, defaultCapabilities, type OciCapabilities } from "../runtime/index.ts";
import type { ContainerFacts } from "./spec-inputs.ts";
import type { HostConfig } from "./types.ts";

const all = "ALL";

/**
 * What a container may do: Docker's default set without `--cap-drop` and with `--cap-add`; everything with `--privileged`. Nothing is
 * inheritable (CVE-2022-24769). A name that is no capability is CONTAINER_LIMIT, one that nobody can give here CONTAINER_UNSUPPORTED.
 */
export function containerCapabilities(
  { capAdd, capDrop, privileged }: Pick<HostConfig, "capAdd" | "capDrop" | "privileged">,
  { capabilities: most }: Pick<ContainerFacts, "capabilities">,
): OciCapabilities {
  const dropped = capDrop.map((name) => readName(name, "CapDrop"));
  const added = capAdd.map((name) => readName(name, "CapAdd"));
  const missing = added.find((name) => name !== all && !most.includes(name));
  if (missing !== undefined && !privileged) {
    throw new VarveError(
      "CONTAINER_UNSUPPORTED",
      `invalid CapAdd: capability not available in the current environment: "${missing}"`,
    );
  }
  const given = privileged ? most : tweak(added, dropped, most);
  return { bounding: given, effective: given, permitted: given, inheritable: [], ambient: [] };
}

function tweak(added: readonly string[], dropped: readonly string[], most: readonly string[]): readonly string[] {
  if (added.includes(all)) return most.filter((name) => !dropped.includes(name));
  if (dropped.includes(all)) return [...new Set(added)];
  const kept = defaultCapabilities.filter((name) => most.includes(name) && !dropped.includes(name));
  return [...new Set([...kept, ...added])];
}

function readName(text: string, field: "CapAdd" | "CapDrop"): string {
  const upper = text.toUpperCase();
  if (upper === all) return all;
  const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (!capabilityNames.includes(name)) {
    throw new VarveError("CONTAINER_LIMIT", `invalid ${field}: unknown capability: "${name}"`, {
      hint: "capabilities(7) lists them, with or without CAP_",
    });
  }
  return name;
}
