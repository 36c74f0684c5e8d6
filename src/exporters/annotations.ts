import { VarveError } from "../errors/index.ts";
import { formatPlatform, parsePlatform, type Platform } from "../oci/index.ts";

/** Where an annotation stands: in the manifest, in the index, or in the descriptor that names one of them. */
export const annotationPlaces = ["manifest", "manifest-descriptor", "index", "index-descriptor"] as const;

export interface Annotation {
  readonly place: (typeof annotationPlaces)[number];
  /** Of one platform alone, `os/arch`. Has no meaning for an index. */
  readonly platform?: string;
  readonly key: string;
  readonly value: string;
}

/** The same with the platform as `formatPlatform` writes it. */
export function normalizeAnnotation(annotation: Annotation): Annotation {
  const { platform } = annotation;
  return platform === undefined ? annotation : { ...annotation, platform: formatPlatform(parsePlatform(platform)) };
}

type Values = Readonly<Record<string, string>>;

/** The annotations that one place has, of one platform where a platform is given; undefined for none. Of two with one key the later counts. */
export function annotationsAt(
  annotations: readonly Annotation[],
  place: Annotation["place"],
  platform?: Platform,
): Values | undefined {
  const text = platform === undefined ? undefined : formatPlatform(platform);
  const found = annotations.filter(
    (annotation) => annotation.place === place && (annotation.platform === undefined || text === annotation.platform),
  );
  // what is said of one platform counts more than what is said of all
  const ordered = [
    ...found.filter((each) => each.platform === undefined),
    ...found.filter((each) => each.platform !== undefined),
  ];
  return found.length === 0 ? undefined : Object.fromEntries(ordered.map(({ key, value }) => [key, value]));
}

/**
 * Fails with OUTPUT_OPTIONS for annotations that would have no place: of a platform that was not built, of an index where there is none,
 * or in documents of Docker's kind that have no annotations.
 */
export function checkAnnotations(
  annotations: readonly Annotation[],
  {
    platforms,
    index,
    ociTypes,
  }: { readonly platforms: readonly Platform[]; readonly index: boolean; readonly ociTypes: boolean },
): void {
  const built = platforms.map(formatPlatform);
  for (const { place, platform } of annotations) {
    if (platform !== undefined && !built.includes(platform))
      throw invalid(`invalid annotation: no platform ${platform} found in source`, `built were ${built.join(", ")}`);
    if (!ociTypes && place !== "manifest") throw invalid('cannot export annotations with "oci-mediatypes=false"');
    if (!index && (place === "index" || place === "index-descriptor"))
      throw invalid(
        "index annotations not supported for single platform export",
        "an image of one platform has a manifest and no index",
      );
  }
}

function invalid(message: string, hint?: string): VarveError {
  return new VarveError("OUTPUT_OPTIONS", message, hint === undefined ? {} : { hint });
}
