import { waitForAll } from "../flow/index.ts";
import type { Service } from "../compose-file/index.ts";
import { isVarveError, VarveError } from "../errors/index.ts";
import { observeProject, ofServices, reported, type ProjectContext } from "./context.ts";
import type { Observed } from "./observed.ts";
import { runHook } from "./remove-containers.ts";
import { alongDependencies } from "./service-order.ts";
import { awaitDependencies } from "./wait-ready.ts";

export interface StartOptions {
  /** Called for each container of the services as soon as it runs, also for those that ran before. */
  readonly onRunning?: (container: Observed) => void;
  /** Dependencies are taken as they are. */
  readonly alone?: boolean;
}

/** Starts the containers of services that do not run, each when what it depends on is as it asks. Fails with SERVICE_FAILED. */
export async function startServices(
  context: ProjectContext,
  services: readonly Service[],
  { onRunning, alone = false }: StartOptions = {},
): Promise<void> {
  const observed = await observeProject(context);
  await alongDependencies(services, async (service) => {
    const own = ofServices(observed, [service.name]);
    if (own.length === 0) return;
    if (!alone) await awaitOrExplain(context, service);
    await waitForAll(
      own.map(async (candidate) => {
        await startContainer(context, service, candidate);
        onRunning?.(candidate);
      }),
    );
  });
}

async function startContainer(context: ProjectContext, service: Service, { id, name, container }: Observed): Promise<void> {
  const { containers } = context.engine;
  const { status } = container.state;
  if (status === "running" || status === "restarting") return;
  if (status === "paused")
    return await reported(context, `Container ${name}`, ["Unpausing", "Unpaused"], () => containers.unpause(id));
  await reported(context, `Container ${name}`, ["Starting", "Started"], async () => {
    await containers.start(id, context.signal === undefined ? {} : { signal: context.signal });
    for (const hook of service.post_start ?? []) {
      const exitCode = await runHook(containers, id, hook);
      if (exitCode !== 0) throw new VarveError("SERVICE_FAILED", `${service.name} hook exited with status ${exitCode}`);
    }
  });
}

/** Docker Compose's words for a dependency that failed. */
async function awaitOrExplain(context: ProjectContext, service: Service): Promise<void> {
  try {
    await awaitDependencies(context, service);
  } catch (error) {
    if (isVarveError(error) && error.code === "SERVICE_FAILED" && !error.message.startsWith("dependency failed"))
      throw new VarveError("SERVICE_FAILED", `dependency failed to start: ${error.message}`, { cause: error });
    throw error;
  }
}
