import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { VarveError } from "../errors/index.ts";
import { checkContainer } from "./check-container.ts";
import { readContainerFacts } from "./container-facts.ts";
import { containerResources } from "./container-resources.ts";
import type { ContainerRow } from "./container-store.ts";
import { findContainer } from "./find-container.ts";
import { handleOf } from "./observe.ts";
import { limit } from "./refuse-limit.ts";
import type { ContainerRoom } from "./room.ts";
import type { ContainerConfig, Resources, UpdateRequest } from "./types.ts";

/** As many as Linux has at most (PID_MAX_LIMIT): takes a limit away, for which the runtimes have no common word. */
const allProcesses = 4_194_304;

/** Changes a container's limits, at once where it runs, and what becomes of it when it ends. */
export async function updateContainer(
  room: ContainerRoom,
  name: string,
  request: UpdateRequest,
): Promise<{ readonly warnings: readonly string[] }> {
  const { id } = findContainer(room.store, name);
  return await room.locked(id, async () => {
    const row = findContainer(room.store, id);
    const config = mergeUpdate(row, request);
    const facts = readContainerFacts();
    const warnings = checkContainer(config, facts);
    if (request.resources !== undefined) await apply(room, row, config);
    room.store.setConfig(id, config);
    room.events.tell(row, "update");
    return { warnings };
  });
}

/** What was set, what it excludes, and Docker's names of that and of it. */
const exclusive = [
  ["cpus", "cpuPeriodUs", "CPU Period", "NanoCPUs"],
  ["cpus", "cpuQuotaUs", "CPU Quota", "NanoCPUs"],
  ["cpuPeriodUs", "cpus", "NanoCPUs", "CPU Period"],
  ["cpuQuotaUs", "cpus", "NanoCPUs", "CPU Quota"],
] as const;

/** The config with what was asked for; what Docker refuses of it is refused in its words. */
export function mergeUpdate({ id, config }: Pick<ContainerRow, "id" | "config">, request: UpdateRequest): ContainerConfig {
  const { resources: asked = {}, restart } = request;
  const { host } = config;
  const cannot = (why: string): VarveError => new VarveError("CONTAINER_CONFLICT", `Cannot update container ${id}: ${why}`);
  if (restart !== undefined && restart.name !== "no" && host.autoRemove)
    throw cannot("Restart policy cannot be updated because AutoRemove is enabled for the container");
  const last = host.resources;
  if (asked.cpus !== undefined && asked.cpuPeriodUs !== undefined)
    throw limit("Conflicting options: Nano CPUs and CPU Period cannot both be set");
  if (asked.cpus !== undefined && asked.cpuQuotaUs !== undefined)
    throw limit("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
  for (const [set, wanted, what, other] of exclusive) {
    if (last[set] !== undefined && asked[wanted] !== undefined)
      throw cannot(`Conflicting options: ${what} cannot be updated as ${other} has already been set`);
  }
  if (asked.memoryBytes !== undefined && asked.memorySwapBytes === undefined && asked.memoryBytes > swapOf(last)) {
    throw cannot("Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time");
  }
  // a swap limit that was derived from the memory is from now on the one that it was
  const memorySwapBytes = asked.memorySwapBytes ?? (last.memoryBytes === undefined ? last.memorySwapBytes : swapOf(last));
  const resources: Resources = { ...last, ...asked, ...(memorySwapBytes === undefined ? {} : { memorySwapBytes }) };
  return { ...config, host: { ...host, resources, ...(restart === undefined ? {} : { restart }) } };
}

/** Docker's: twice the memory where nothing was said, and nothing where memory is not limited. −1 is no limit, which is less than all. */
function swapOf({ memoryBytes, memorySwapBytes }: Resources): number {
  return memorySwapBytes ?? (memoryBytes ?? 0) * 2;
}

async function apply(room: ContainerRoom, row: ContainerRow, config: ContainerConfig): Promise<void> {
  const handle = handleOf(row, room.root);
  if (handle === undefined) return;
  const { devices: _devices, pids, ...limits } = containerResources(config.host, [], readContainerFacts());
  const asked = config.host.resources.pidsLimit;
  const resources = { ...limits, ...(asked === undefined ? {} : { pids: pids ?? { limit: allProcesses } }) };
  const file = join(handle.folder, "update.json");
  await writeFile(file, JSON.stringify(resources), { mode: 0o600 });
  const [program, ...args] = [...handle.enter, ...handle.runtime, "update", "--resources", file, row.id];
  try {
    await promisify(execFile)(program, args);
  } catch (error) {
    const { stderr = "", message } = error as Error & { stderr?: string };
    throw new VarveError("CONTAINER_RUNTIME", `Cannot update container ${row.id}: ${stderr.trim() || message}`, { cause: error });
  } finally {
    await rm(file, { force: true });
  }
}
