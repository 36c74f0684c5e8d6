import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isVarveError } from "../errors/index.ts";
import { formatPlatform, hostPlatform } from "../oci/index.ts";
import { findRuntime } from "../runtime/index.ts";
import type { Settings } from "./open-varve.ts";
import type { VersionInfo } from "./types.ts";

export function packageVersion(): string {
  const { version: text } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")) as { version: string };
  return text;
}

/** What `varve version` tells. A runtime that the user named but that is not there counts as none. */
export async function version({ root, runtime, path }: Settings): Promise<VersionInfo> {
  const found = await findRuntime({ path, ...(runtime === undefined ? {} : { preferred: runtime }) }).catch((error: unknown) => {
    if (isVarveError(error) && error.code === "RUNTIME_MISSING") return undefined;
    throw error;
  });
  return { version: packageVersion(), node: process.version, platform: formatPlatform(hostPlatform(process.arch)), runtime: found?.path, root };
}
