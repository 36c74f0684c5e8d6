import { isIndex, isManifest } from "./media-types.ts";
import { formatPlatform, normalizePlatform, platformOfSpec } from "./platform.ts";
import type { Descriptor, Index, Platform, PlatformSpec } from "./types.ts";

/**
 * Everything that runs on a platform, the best first (containerd's platforms.Only): amd64/vN takes its lower levels and
 * then 386; arm/vN the lower versions down to v5; arm64 its lower versions (v9.x equals v8.(x+5)) and then 32-bit arm
 * from v8 down.
 */
export function acceptedPlatforms(wanted: Platform): Platform[] {
  const normal = normalizePlatform(wanted);
  const { os, architecture, variant = "" } = normal;
  const like = (other: string, version?: string): Platform =>
    normalizePlatform({
      ...(normal.osVersion === undefined ? {} : { osVersion: normal.osVersion }),
      os,
      architecture: other,
      ...(version === undefined ? {} : { variant: version }),
    });
  if (architecture === "amd64")
    return [normal, ...downFrom(level(variant) - 1, 1).map((n) => like("amd64", `v${n}`)), like("386")];
  if (architecture === "arm") return [normal, ...downFrom(level(variant) - 1, 5).map((n) => like("arm", `v${n}`))];
  if (architecture !== "arm64") return [normal];
  const version = /^v([89])(?:\.(\d))?$/.exec(variant === "" ? "v8" : variant);
  const minor = Number(version?.[2] ?? 0);
  if (version === null || (version[1] === "9" && minor > 7)) return [normal];
  const nine = version[1] === "9" ? downFrom(minor, 0).map((n) => like("arm64", n === 0 ? "v9" : `v9.${n}`)) : [];
  const eight = downFrom(version[1] === "9" ? Math.min(minor + 5, 9) : minor, 0).map((n) =>
    like("arm64", n === 0 ? "v8" : `v8.${n}`),
  );
  return [...nine, ...eight, ...downFrom(8, 5).map((n) => like("arm", `v${n}`))];
}

/**
 * Which candidate suits a platform best: its place in the list, the first of equals; undefined when none runs there.
 * Candidates without a platform never match. A candidate that needs features of the system does not match.
 */
export function matchPlatform(wanted: Platform, candidates: readonly (PlatformSpec | undefined)[]): number | undefined {
  for (const accepted of acceptedPlatforms(wanted)) {
    const found = candidates.findIndex((candidate) => candidate !== undefined && matches(accepted, candidate));
    if (found >= 0) return found;
  }
  return undefined;
}

/**
 * The manifest of an index for a platform: the best match or, when none matches, the first manifest that names no platform
 * (its config then says what it is; the caller checks). Attestations are never chosen. The result may be an index itself.
 */
export function selectManifest(index: Index, wanted: Platform): Descriptor | undefined {
  const images = index.manifests.filter(
    (entry) =>
      (isManifest(entry.mediaType) || isIndex(entry.mediaType)) && entry.annotations?.["vnd.docker.reference.type"] === undefined,
  );
  const found = matchPlatform(
    wanted,
    images.map((entry) => entry.platform),
  );
  return found === undefined ? images.find((entry) => entry.platform === undefined) : images[found];
}

function matches(accepted: Platform, candidate: PlatformSpec): boolean {
  const platform = platformOfSpec(candidate);
  if (formatPlatform(accepted) !== formatPlatform(platform)) return false;
  const windows = platform.os === "windows";
  const features = (candidate["os.features"] ?? []).filter((feature) => !(windows && feature === "win32k"));
  if (features.length > 0) return false;
  if (!windows || accepted.osVersion === undefined || platform.osVersion === undefined) return true;
  return build(accepted.osVersion) === build(platform.osVersion);
}

/** Windows runs images of its own build: the first three numbers of the version. */
function build(osVersion: string): string {
  return osVersion.split(".").slice(0, 3).join(".");
}

/** 7 of `v7`; 0 when the variant is no such number. */
function level(variant: string): number {
  return /^v\d+$/.test(variant) ? Number(variant.slice(1)) : 0;
}

function downFrom(from: number, to: number): number[] {
  return from < to ? [] : Array.from({ length: Math.min(from - to + 1, 16) }, (_, step) => from - step);
}
