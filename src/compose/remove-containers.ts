import { isVarveError } from "../errors/index.ts";
import type { Service } from "../compose-file/index.ts";
import { reported, type ProjectContext } from "./context.ts";
import { isRunning, type Observed } from "./observed.ts";

export interface StopOptions {
  readonly timeoutS?: number;
}

/** Stops containers at the same time; those that do not run are left alone. */
export async function stopContainers(
  context: ProjectContext,
  observed: readonly Observed[],
  { timeoutS }: StopOptions = {},
): Promise<void> {
  await all(observed.filter(isRunning), (candidate) =>
    reported(context, `Container ${candidate.name}`, ["Stopping", "Stopped"], async () => {
      await runHooks(context, candidate);
      await unlessGone(() => context.engine.containers.stop(candidate.id, timeoutS === undefined ? {} : { timeoutS }));
    }),
  );
}

/** Stops and removes containers at the same time, with their anonymous volumes where asked for. */
export async function removeContainers(
  context: ProjectContext,
  observed: readonly Observed[],
  options: StopOptions & { readonly volumes?: boolean } = {},
): Promise<void> {
  await all(observed, async (candidate) => {
    await stopContainers(context, [candidate], options);
    await reported(context, `Container ${candidate.name}`, ["Removing", "Removed"], () =>
      unlessGone(() =>
        context.engine.containers.remove(candidate.id, { force: true, ...(options.volumes === true ? { volumes: true } : {}) }),
      ),
    );
  });
}

/** `pre_stop` of the service that the container is of. */
async function runHooks({ engine, project }: ProjectContext, { id, service: name, isOneOff }: Observed): Promise<void> {
  if (isOneOff) return;
  for (const hook of project.services[name]?.pre_stop ?? []) await runHook(engine.containers, id, hook);
}

/** Runs a hook of a service in a container of it; resolves to its exit code. */
export async function runHook(
  containers: ProjectContext["engine"]["containers"],
  id: string,
  hook: NonNullable<Service["post_start"]>[number],
): Promise<number> {
  const running = await containers.exec(id, {
    command: hook.command ?? [],
    stdout: true,
    stderr: true,
    env: Object.entries(hook.environment ?? {}).flatMap(([key, value]) => (value === null ? [] : [`${key}=${value}`])),
    ...(hook.user === undefined ? {} : { user: hook.user }),
    ...(hook.working_dir === undefined ? {} : { workingDir: hook.working_dir }),
    ...(hook.privileged === undefined ? {} : { privileged: hook.privileged }),
  });
  for await (const chunk of running.output) void chunk;
  return await running.exitCode;
}

/** What somebody else has removed meanwhile is as gone as it should be. */
async function unlessGone(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isVarveError(error) || error.code !== "CONTAINER_NOT_FOUND") throw error;
  }
}

/** Does all, and then throws the first failure. */
async function all<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (const result of await Promise.allSettled(items.map(work))) if (result.status === "rejected") throw result.reason;
}
