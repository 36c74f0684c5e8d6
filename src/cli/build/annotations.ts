import { VarveError } from "../../errors/index.ts";
import type { ImageSettings } from "../../engine/index.ts";
import { cut } from "../flags.ts";

export type Annotations = NonNullable<ImageSettings["annotations"]>;
type Place = Annotations[number]["place"];

const places: readonly Place[] = ["manifest", "manifest-descriptor", "index", "index-descriptor"];

/** `--annotation [type[os/arch],…:]key=value` (B03); without a type it is the manifest's. */
export function parseAnnotations(values: readonly string[]): Annotations {
  return values
    .filter((text) => text !== "")
    .flatMap((text) => {
      const [name, value] = cut(text, "=");
      if (value === undefined) throw usage(`invalid annotation "${text}", expected key=value`);
      const [types, key] = cut(name, ":");
      if (key === undefined) return [{ place: "manifest" as const, key: name, value }];
      return types.split(",").map((type) => {
        const found = /^([a-z-]+)(?:\[([A-Za-z0-9_/-]+)\])?$/.exec(type);
        if (found?.[1] === undefined)
          throw usage(`invalid annotation type "${type}", expected type and optional platform in square brackets`);
        return { ...placeOf(found[1], found[2]), key, value };
      });
    });
}

/** `annotation[-type][[os/arch]].key` of an output (E29); undefined for an attribute that is none. */
export function parseAnnotationKey(attribute: string, value: string): Annotations[number] | undefined {
  if (!attribute.startsWith("annotation")) return undefined;
  const found = /^annotation(?:-([a-z-]+))?(?:\[([A-Za-z0-9_/-]+)\])?\.(\S+)$/.exec(attribute);
  if (found?.[3] === undefined) return undefined;
  return { ...placeOf(found[1] ?? "manifest", found[2]), key: found[3], value };
}

function placeOf(type: string, platform: string | undefined): { place: Place; platform?: string } {
  const place = places.find((name) => name === type);
  if (place === undefined) throw usage(`unknown annotation type "${type}"`, `there are ${places.join(", ")}`);
  return { place, ...(platform === undefined ? {} : { platform }) };
}

function usage(message: string, hint?: string): VarveError {
  return new VarveError("USAGE", message, hint === undefined ? {} : { hint });
}
