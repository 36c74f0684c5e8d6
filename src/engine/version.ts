import { isVarveError } from "../errors/index.ts";
import { formatPlatform, hostPlatform } from "../oci/index.ts";
import { packageVersion } from "../package/index.ts";
import type { Settings } from "./open-varve.ts";
import type { VersionInfo } from "./types.ts";

/** What `varve version` tells. A runtime that the user named but that is not there counts as none. */
export async function version({ root, runtime, path }: Settings): Promise<VersionInfo> {
  const { findRuntime } = await import("../runtime/index.ts");
  const found = await findRuntime({ path, ...(runtime === undefined ? {} : { preferred: runtime }) }).catch((error: unknown) => {
    if (isVarveError(error) && error.code === "RUNTIME_MISSING") return undefined;
    throw error;
  });
  return {
    version: packageVersion(),
    node: process.version,
    platform: formatPlatform(hostPlatform(process.arch)),
    runtime: found?.path,
    root,
  };
}
