import { waitForAll } from "../flow/index.ts";
import type { Service } from "../compose-file/index.ts";
import { allServices, observeProject, reported, type ProjectContext } from "./context.ts";
import { makeImages, type ImagePolicy } from "./images.ts";
import { anonymousVolumes, hashOf, makeContainer } from "./make-container.ts";
import { containerName } from "./names.ts";
import type { Observed } from "./observed.ts";
import { planServices, type ContainerStep, type PlanInput } from "./plan-services.ts";
import { removeContainers } from "./remove-containers.ts";
import { makeResources } from "./resources.ts";
import type { BuildRequest } from "./service-build.ts";
import { alongDependencies, selectServices } from "./service-order.ts";
import { fieldsWithoutEffect, refuseUnsupported } from "./unsupported-fields.ts";

export interface ConvergeOptions extends ImagePolicy, Pick<PlanInput, "recreate" | "recreateDependencies" | "scale"> {
  /** Names of services; none: all. */
  readonly services?: readonly string[];
  /** Without the services that they depend on. */
  readonly alone?: boolean;
  readonly removeOrphans?: boolean;
  /** COMPOSE_IGNORE_ORPHANS: nothing is said of them. */
  readonly ignoreOrphans?: boolean;
  /** New anonymous volumes instead of those of the container before. */
  readonly renewVolumes?: boolean;
  /** Until a container that has to go is killed. Default: its own. */
  readonly timeoutS?: number;
  /** Also the networks and volumes that no service uses. */
  readonly allResources?: boolean;
  /** Questions are answered with yes. */
  readonly yes?: boolean;
  readonly request?: BuildRequest;
}

/**
 * Makes the project's images, networks, volumes and containers what the files ask for, and changes no more than differs. Starts
 * nothing. Returns the services that were looked after, dependencies among them.
 */
export async function converge(context: ProjectContext, options: ConvergeOptions): Promise<readonly Service[]> {
  const { project } = context;
  const named = options.services ?? [];
  const services = selectServices(namedToo(project, named), named, options.alone === true ? { alone: true } : {});
  for (const service of services) {
    refuseUnsupported(service);
    for (const field of fieldsWithoutEffect(service))
      context.warn(`service "${service.name}": ${field} has no effect on one machine`);
  }
  const imageIds = await makeImages(context, services, options);
  await makeResources(context, services, { all: options.allResources === true, yes: options.yes === true });
  const observed = await observeProject(context);
  await lookAfterOrphans(context, observed, options);
  const wanted = Object.fromEntries(
    services.map((service) => [service.name, { configHash: hashOf(context, service), imageId: imageIds[service.name] ?? "" }]),
  );
  const plan = planServices({ ...options, services, observed, wanted, named });
  const steps = new Map(plan.map((entry) => [entry.service.name, entry.steps]));
  await alongDependencies(services, async (service) => {
    const own = { service, imageId: imageIds[service.name] ?? "", options };
    await waitForAll((steps.get(service.name) ?? []).map((step) => carryOut(context, step, own)));
  });
  return services;
}

/** With those of inactive profiles that the command line names, and what they depend on. */
function namedToo(project: ProjectContext["project"], named: readonly string[]): ProjectContext["project"]["services"] {
  if (named.every((name) => project.services[name] !== undefined)) return project.services;
  return allServices(project);
}

async function carryOut(
  context: ProjectContext,
  step: ContainerStep,
  { service, imageId, options }: { readonly service: Service; readonly imageId: string; readonly options: ConvergeOptions },
): Promise<void> {
  const { number } = step;
  if (step.kind === "keep") {
    if (!step.start) context.report({ subject: `Container ${step.old.name}`, status: "Running" });
    return;
  }
  if (step.kind === "remove") return await removeContainers(context, [step.old], options);
  const name = containerName(context.project, service, number, context.separator);
  if (step.kind === "create") {
    await reported(context, `Container ${name}`, ["Creating", "Created"], () =>
      makeContainer(context, service, { number, imageId }),
    );
    return;
  }
  await reported(context, `Container ${name}`, ["Recreate", "Recreated"], async () => {
    const carriedVolumes = options.renewVolumes === true ? {} : anonymousVolumes(step.old, service);
    await replace(context, step.old, {
      options,
      make: () => makeContainer(context, service, { number, imageId, carriedVolumes }),
    });
  });
}

/** The old container goes only when the new one is there; until then it stands aside under a name of its own. */
async function replace(
  { engine, signal }: ProjectContext,
  old: Observed,
  { options, make }: { readonly options: ConvergeOptions; readonly make: () => Promise<string> },
): Promise<void> {
  const { containers } = engine;
  await containers.stop(old.id, {
    ...(options.timeoutS === undefined ? {} : { timeoutS: options.timeoutS }),
    ...(signal === undefined ? {} : { signal }),
  });
  await containers.rename(old.id, `${old.id.slice(0, 12)}_${old.name}`);
  try {
    await make();
  } catch (error) {
    await containers.rename(old.id, old.name);
    throw error;
  }
  await containers.remove(old.id, { force: true, ...(options.renewVolumes === true ? { volumes: true } : {}) });
}

async function lookAfterOrphans(context: ProjectContext, observed: readonly Observed[], options: ConvergeOptions): Promise<void> {
  const known = allServices(context.project);
  const orphans = observed.filter(({ service, isOneOff }) => !isOneOff && known[service] === undefined);
  if (orphans.length === 0 || options.ignoreOrphans === true) return;
  if (options.removeOrphans === true) return await removeContainers(context, orphans, options);
  context.warn(
    `Found orphan containers ([${orphans.map(({ name }) => name).join(" ")}]) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.`,
  );
}
