import { waitForAll } from "../flow/index.ts";
import { VarveError } from "../errors/index.ts";
import type { Service } from "../compose-file/index.ts";
import { allServices, observeProject, ofServices, reported, type ProjectContext } from "./context.ts";
import { isRunning, type Observed } from "./observed.ts";
import { removeContainers, stopContainers, type StopOptions } from "./remove-containers.ts";
import { startServices } from "./start-services.ts";
import { alongDependencies, selectServices } from "./service-order.ts";

/** `stop`: those that depend on others first. */
export async function stopServices(
  context: ProjectContext,
  { services = [], ...options }: StopOptions & { readonly services?: readonly string[] } = {},
): Promise<void> {
  const meant = namedServices(context, services);
  const observed = await observeProject(context);
  await alongDependencies(meant, (service) => stopContainers(context, ofServices(observed, [service.name]), options), {
    reverse: true,
  });
}

/** `start`: what was made and does not run, in the order of the dependencies. */
export async function startStopped(context: ProjectContext, services: readonly string[]): Promise<void> {
  const meant = namedServices(context, services);
  const observed = await observeProject(context);
  for (const { name } of meant)
    if (services.includes(name) && ofServices(observed, [name]).length === 0)
      throw new VarveError("SERVICE_NOT_FOUND", `service "${name}" has no container to start`);
  await startServices(context, meant);
}

/** `restart`, and that of services which depend on them with `restart: true`, unless `alone`. */
export async function restartServices(
  context: ProjectContext,
  {
    services = [],
    timeoutS,
    alone = false,
  }: StopOptions & { readonly services?: readonly string[]; readonly alone?: boolean } = {},
): Promise<void> {
  const meant = new Map(namedServices(context, services).map((service) => [service.name, service]));
  if (!alone)
    for (const service of Object.values(context.project.services))
      if (Object.entries(service.depends_on ?? {}).some(([name, { restart }]) => restart === true && meant.has(name)))
        meant.set(service.name, service);
  const observed = await observeProject(context);
  await alongDependencies([...meant.values()], async (service) => {
    await each(ofServices(observed, [service.name]), ({ id, name }) =>
      reported(context, `Container ${name}`, ["Restarting", "Started"], () =>
        context.engine.containers.restart(id, timeoutS === undefined ? {} : { timeoutS }),
      ),
    );
  });
}

/** `kill`, with SIGKILL unless another signal is named; `orphans` too, where asked for. Returns how many were. */
export async function killServices(
  context: ProjectContext,
  {
    services = [],
    signal = "SIGKILL",
    orphans = false,
  }: { readonly services?: readonly string[]; readonly signal?: string; readonly orphans?: boolean } = {},
): Promise<number> {
  const { project } = context;
  const running = ofServices(await observeProject(context), services, { oneOff: true }).filter(
    (candidate) => isRunning(candidate) && (orphans || allServices(project)[candidate.service] !== undefined),
  );
  await each(running, ({ id, name }) =>
    reported(context, `Container ${name}`, ["Killing", "Killed"], () =>
      context.engine.containers.kill(id, { killSignal: signal }),
    ),
  );
  return running.length;
}

export async function pauseServices(context: ProjectContext, services: readonly string[]): Promise<void> {
  const running = (await chosen(context, services)).filter(({ container }) => container.state.status === "running");
  await each(running, ({ id, name }) =>
    reported(context, `Container ${name}`, ["Pausing", "Paused"], () => context.engine.containers.pause(id)),
  );
}

export async function unpauseServices(context: ProjectContext, services: readonly string[]): Promise<void> {
  const paused = (await chosen(context, services)).filter(({ container }) => container.state.status === "paused");
  await each(paused, ({ id, name }) =>
    reported(context, `Container ${name}`, ["Unpausing", "Unpaused"], () => context.engine.containers.unpause(id)),
  );
}

/** `rm`: the containers that do not run; with `stop` all. `confirm` is asked with their names. */
export async function removeStopped(
  context: ProjectContext,
  options: {
    readonly services?: readonly string[];
    readonly stop?: boolean;
    readonly volumes?: boolean;
    readonly confirm: (names: readonly string[]) => Promise<boolean>;
  },
): Promise<void> {
  const services = options.services ?? [];
  if (options.stop === true) await stopServices(context, { services });
  namedServices(context, services);
  const meant = ofServices(await observeProject(context), services, { oneOff: true }).filter(
    (candidate) => !isRunning(candidate),
  );
  if (meant.length === 0) return context.warn("No stopped containers");
  if (!(await options.confirm(meant.map(({ name }) => name)))) return;
  await removeContainers(context, meant, { volumes: options.volumes === true });
}

/** The container of a service with this number (default: the first that runs). Fails with SERVICE_NOT_FOUND. */
export async function findContainer(
  context: Pick<ProjectContext, "engine" | "project">,
  service: string,
  { index, running = false }: { readonly index?: number; readonly running?: boolean } = {},
): Promise<Observed> {
  const own = ofServices(await observeProject(context), [service]);
  const usable = running ? own.filter(isRunning) : own;
  const found = index === undefined || index === 0 ? usable[0] : usable.find(({ number }) => number === index);
  if (found !== undefined) return found;
  const which = index === undefined || index === 0 ? "" : ` container #${index}`;
  throw new VarveError("SERVICE_NOT_FOUND", `service "${service}" is not running${which}`);
}

/** The services of these names, without what they depend on; none: all. */
function namedServices({ project }: ProjectContext, names: readonly string[]): readonly Service[] {
  return selectServices(names.length === 0 ? project.services : allServices(project), names, { alone: true });
}

async function chosen(context: ProjectContext, services: readonly string[]): Promise<readonly Observed[]> {
  namedServices(context, services);
  return ofServices(await observeProject(context), services);
}

async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  await waitForAll(items.map(work));
}
