import { isVarveError } from "../errors/index.ts";
import { throwIfAborted, unlessAborted, waitForAll } from "../flow/index.ts";
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

export interface HookOptions {
  readonly onOutput?: (output: { readonly stream: 1 | 2; readonly chunk: Uint8Array }) => void;
  /** Nobody waits for the command any longer: it goes on by itself. */
  readonly signal?: AbortSignal;
}

/** Runs a hook of a service in a container of it; resolves to its exit code. */
export async function runHook(
  containers: ProjectContext["engine"]["containers"],
  id: string,
  hook: NonNullable<Service["post_start"]>[number],
  { onOutput, signal }: HookOptions = {},
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
  const letGo = (): void => running.detach();
  signal?.addEventListener("abort", letGo, { once: true });
  try {
    for await (const output of running.output) onOutput?.(output);
    throwIfAborted(signal);
    return await unlessAborted(running.exitCode, { signal });
  } finally {
    signal?.removeEventListener("abort", letGo);
  }
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
  await waitForAll(items.map(work));
}
