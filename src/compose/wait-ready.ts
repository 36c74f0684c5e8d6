import type { Service } from "../compose-file/index.ts";
import { VarveError } from "../errors/index.ts";
import { sleep, waitForAll } from "../flow/index.ts";
import { observeProject, ofServices, type ProjectContext } from "./context.ts";
import type { Observed } from "./observed.ts";

/** How often the state of a container that is waited for is looked at. */
const pollMs = 200;

export type ReadyCondition = "healthy" | "completed" | "running-or-healthy";

/**
 * Waits until the services that a service depends on are what it asks for. Fails with SERVICE_FAILED; for a dependency that is not
 * required there is only a warning.
 */
export async function awaitDependencies(context: ProjectContext, service: Service): Promise<void> {
  const conditions = Object.entries(service.depends_on ?? {}).filter(([, { condition }]) => condition !== "service_started");
  if (conditions.length === 0) return;
  const observed = await observeProject(context);
  await Promise.all(
    conditions.map(async ([name, { condition, required }]) => {
      const containers = ofServices(observed, [name]);
      try {
        await awaitReady(context, containers, condition === "service_healthy" ? "healthy" : "completed");
      } catch (error) {
        if (required || !(error instanceof VarveError) || error.code !== "SERVICE_FAILED") throw error;
        context.warn(`optional dependency "${name}" failed to start: ${error.message}`);
      }
    }),
  );
}

/** Waits until containers are healthy, have ended well, or run (and are healthy, where they have a check). */
export async function awaitReady(
  context: ProjectContext,
  containers: readonly Observed[],
  condition: ReadyCondition,
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  await waitForAll(
    containers.map(async (candidate) => {
      const subject = `Container ${candidate.name}`;
      context.report({ subject, status: "Waiting", isUnderWay: true });
      try {
        context.report({ subject, status: await awaitOne(context, candidate, condition, options.signal ?? context.signal) });
      } catch (error) {
        context.report({ subject, status: "Error", failed: true });
        throw error;
      }
    }),
  );
}

async function awaitOne(
  { engine }: ProjectContext,
  { id, name, service }: Observed,
  condition: ReadyCondition,
  signal: AbortSignal | undefined,
): Promise<string> {
  for (;;) {
    const { state, config } = await engine.containers.get(id);
    const isOver = state.status === "exited" || state.status === "dead";
    if (condition === "completed") {
      if (isOver && state.exitCode === 0) return "Exited";
      if (isOver) throw failed(`service "${service}" didn't complete successfully: exit ${state.exitCode}`);
    } else {
      if (isOver) throw failed(`container ${name} exited (${state.exitCode})`);
      if (state.health?.status === "healthy") return "Healthy";
      if (state.health?.status === "unhealthy") throw failed(`container ${name} is unhealthy`);
      const hasCheck = config.healthcheck?.Test !== undefined && config.healthcheck.Test[0] !== "NONE";
      if (!hasCheck && condition === "healthy") throw failed(`container ${name} has no healthcheck configured`);
      if (!hasCheck && state.status === "running") return "Healthy";
    }
    await sleep(pollMs, signal === undefined ? {} : { signal });
  }
}

function failed(message: string): VarveError {
  return new VarveError("SERVICE_FAILED", message);
}
