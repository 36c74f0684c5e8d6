import { builderArgs } from "../dockerfile/index.ts";
import { VarveError } from "../errors/index.ts";
import { formatPlatform, hostPlatform, parsePlatform, type Platform } from "../oci/index.ts";
import type { BuildOptions } from "./types.ts";

/** What a build is made for. */
export interface BuildPlatforms {
  /** Normalised, each once. Empty: nothing was asked for, and the result is this machine's, or follows its base (S08). */
  readonly wanted: readonly Platform[];
  /** The result is an index, or a folder for each platform (B20, A11). */
  readonly isMulti: boolean;
}

/** The platform of this machine's containers. */
export function nativePlatform(): Platform {
  return hostPlatform(process.arch);
}

/** Reads the platforms of a build. Fails with PLATFORM_INVALID, and with FRONTEND_VALUE_INVALID for BUILDKIT_MULTI_PLATFORM. */
export function readBuildPlatforms({
  platforms = [],
  buildArgs = {},
}: Pick<BuildOptions, "platforms" | "buildArgs">): BuildPlatforms {
  const native = nativePlatform();
  const wanted = new Map<string, Platform>();
  for (const text of platforms) {
    const platform = parsePlatform(text, { host: native });
    wanted.set(platformKey(platform), platform);
  }
  const isMulti = wanted.size > 1;
  const { multiPlatform: name } = builderArgs;
  const forced = Object.hasOwn(buildArgs, name) ? readBoolean(buildArgs[name] ?? "") : undefined;
  if (forced === false && isMulti)
    throw new VarveError("FRONTEND_VALUE_INVALID", "conflicting config: returning multiple target platforms is not allowed", {
      hint: `leave out --build-arg ${name}, or build for one platform`,
    });
  return { wanted: [...wanted.values()], isMulti: forced ?? isMulti };
}

/** A platform's name with its system's version, by which platforms differ. */
export function platformKey(platform: Platform): string {
  const { osVersion = "" } = platform;
  return osVersion === "" ? formatPlatform(platform) : `${formatPlatform(platform)} ${osVersion}`;
}

/** As Go's strconv.ParseBool reads it; undefined for an empty text, which says nothing. */
function readBoolean(text: string): boolean | undefined {
  if (text === "") return undefined;
  if (/^(?:1|t|T|true|TRUE|True)$/.test(text)) return true;
  if (/^(?:0|f|F|false|FALSE|False)$/.test(text)) return false;
  throw new VarveError("FRONTEND_VALUE_INVALID", `invalid boolean value for multi-platform: ${text}`);
}
