import type { ImageConfig } from "../oci/index.ts";
import type { Difference } from "./verify-types.ts";

/** Where two configs differ, member by member. Digests of layers are left out: what differs in the layers says more. */
export function compareConfigs(image: ImageConfig, rebuilt: ImageConfig): readonly Difference[] {
  const withoutLayers = ({ rootfs, ...config }: ImageConfig): object => ({ ...config, layers: rootfs.diff_ids.length });
  return compare("", withoutLayers(image), withoutLayers(rebuilt));
}

function compare(field: string, image: unknown, rebuilt: unknown): Difference[] {
  if (JSON.stringify(image) === JSON.stringify(rebuilt)) return [];
  if (isTable(image) && isTable(rebuilt)) {
    const differences = [...new Set([...Object.keys(image), ...Object.keys(rebuilt)])].flatMap((key) =>
      compare(Array.isArray(image) ? `${field}[${key}]` : field === "" ? key : `${field}.${key}`, image[key], rebuilt[key]),
    );
    // The same members in another order are other bytes too.
    if (differences.length > 0) return differences;
  }
  return [{ field: field === "" ? "config" : field, ...said("image", image), ...said("rebuilt", rebuilt) }];
}

function said(name: "image" | "rebuilt", value: unknown): { image?: string; rebuilt?: string } {
  return value === undefined ? {} : { [name]: typeof value === "string" ? value : JSON.stringify(value) };
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
