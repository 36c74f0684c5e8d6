import type { TaskContext } from "../worker/index.ts";
import { packLayer } from "./pack-layer.ts";
import type { PackParams, PackResult } from "./tasks.ts";

/** Packs a snapshot's changes as a layer. */
export async function runPackTask(
  params: PackParams,
  { userNamespace, signal, emit }: TaskContext<{ readonly current: number }>,
): Promise<PackResult> {
  const { snapshot, lowers, compression, level, path, known, clampMtime, leaveOut } = params;
  const options = { upper: snapshot, lowers, userXattr: userNamespace, compression, level, path, known, leaveOut, signal };
  return packLayer({ ...options, ...(clampMtime === undefined ? {} : { clampMtime }), onProgress: emit });
}
