import { parseImageConfig, type Manifest } from "../oci/index.ts";
import type { SolvedVertex } from "../solver/index.ts";
import { encodeInlineRecords, parseInlineRecords, refuseLarge, type CacheConfig } from "./cache-config.ts";
import { recordsOf } from "./records.ts";

/** The member of an image's config that holds its cache: base64 of the records' JSON (L66). */
export const inlineCacheMember = "moby.buildkit.cache.v0";

/**
 * The text of {@link inlineCacheMember}. `positionsOf` says which of the image's layers a step's result is made of, from the
 * lowest up; undefined where it has others.
 */
export function encodeInlineCache(
  vertices: readonly SolvedVertex[],
  positionsOf: (key: string) => readonly number[] | undefined,
): string {
  const records = recordsOf(vertices, (key) => {
    const positions = positionsOf(key);
    if (positions === undefined || positions.length === 0) return undefined;
    const isStart = positions.every((position, index) => position === index);
    return isStart ? { layer: positions.length - 1 } : { chain: positions };
  });
  return Buffer.from(encodeInlineRecords({ layers: [], records })).toString("base64");
}

/** The cache in an image's config; undefined when there is none, or the config does not fit the manifest. */
export function readInlineCache(config: Uint8Array, { layers }: Manifest): CacheConfig | undefined {
  const image = parseImageConfig(config);
  const text = image[inlineCacheMember];
  if (typeof text !== "string" || image.rootfs.diff_ids.length !== layers.length) return undefined;
  const records = Buffer.from(text, "base64");
  refuseLarge(records.length, "inline cache");
  return parseInlineRecords(
    records,
    layers.map(({ digest }) => digest),
  );
}
