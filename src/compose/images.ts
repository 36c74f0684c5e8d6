import { waitForAll } from "../flow/index.ts";
import type { Service } from "../compose-file/index.ts";
import type { ImageSummary, LayerTransfer } from "../engine/index.ts";
import { isVarveError, VarveError } from "../errors/index.ts";
import type { ProjectContext } from "./context.ts";
import { imageName } from "./names.ts";
import { serviceBuild, type BuildRequest, type ServiceBuild } from "./service-build.ts";

/** What is to be done for the image of a service. */
export type ImageStep = "build" | "pull" | "pull-or-build" | "present" | "missing";

export interface ImagePolicy {
  /** `--build` and `--no-build`. */
  readonly build?: "always" | "never";
  /** `--pull`, which wins over the service's `pull_policy`. */
  readonly pull?: string;
}

/** Pure: by the policies of the command line and the file (Compose Specification, "pull_policy"). `image` is what the store has. */
export function planImage(
  service: Service,
  image: Pick<ImageSummary, "createdMs"> | undefined,
  policy: ImagePolicy,
  nowMs: number,
): ImageStep {
  const pull = policy.pull ?? service.pull_policy;
  if (service.build !== undefined && policy.build !== "never") {
    if (policy.build === "always" || pull === "build") return "build";
    if (image === undefined) return pull === "missing" && service.image !== undefined ? "pull-or-build" : "build";
  }
  if (service.image === undefined) return image === undefined ? "missing" : "present";
  if (pull === "always" && service.build === undefined) return "pull";
  if (image !== undefined) return isStale(pull, image.createdMs, nowMs) ? "pull" : "present";
  return pull === "never" || pull === "build" ? "missing" : "pull";
}

const unitsMs: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3, w: 7 * 86_400e3 };

function isStale(pull: string | undefined, createdMs: number, nowMs: number): boolean {
  if (pull === "refresh") return true;
  const text = pull === "daily" ? "every_1d" : pull === "weekly" ? "every_1w" : (pull ?? "");
  if (!text.startsWith("every_")) return false;
  const parts = [...text.slice("every_".length).matchAll(/(\d+)([smhdw])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text.slice("every_".length))
    throw new VarveError("SERVICE_INVALID", `invalid pull policy "${text}"`);
  const periodMs = parts.reduce((sum, [, count, unit = "s"]) => sum + Number(count) * (unitsMs[unit] ?? 0), 0);
  return nowMs - createdMs > periodMs;
}

/** The service's image in the store. */
export async function findImage(context: ProjectContext, service: Service): Promise<ImageSummary | undefined> {
  try {
    return await context.engine.images.inspect(imageName(context.project, service));
  } catch (error) {
    if (isVarveError(error) && error.code === "IMAGE_NOT_FOUND") return undefined;
    throw error;
  }
}

/**
 * Sees to it that the store has the image of each service: builds and pulls as the policies say. Returns the images' IDs, by
 * service. Fails with IMAGE_NOT_FOUND, and as builds and pulls do.
 */
export async function makeImages(
  context: ProjectContext,
  services: readonly Service[],
  options: ImagePolicy & { readonly request?: BuildRequest; readonly nowMs?: number } = {},
): Promise<Readonly<Record<string, string>>> {
  const nowMs = options.nowMs ?? Date.now();
  const steps = new Map<Service, ImageStep>();
  for (const service of services) steps.set(service, planImage(service, await findImage(context, service), options, nowMs));
  const builds = services.filter((service) => steps.get(service) === "build");
  const built = new Set(builds.map((service) => imageName(context.project, service)));
  const pulled = new Map<string, Promise<void>>();
  // what one service builds, another one may only use
  const others = [...steps].filter(([service]) => !built.has(imageName(context.project, service)));
  for (const [service, step] of others)
    if (step === "missing") throw new VarveError("IMAGE_NOT_FOUND", `No such image: ${imageName(context.project, service)}`);
  for (const [service, step] of others) {
    const name = imageName(context.project, service);
    if (step === "pull" && !pulled.has(name)) {
      const pull = pullImage(context, service);
      // it may fail while another one is waited for; below it is asked how it came out
      pull.catch(() => undefined);
      pulled.set(name, pull);
    }
    if (step === "pull-or-build") {
      try {
        await pullImage(context, service);
      } catch (error) {
        if (context.signal?.aborted === true) {
          await Promise.allSettled(pulled.values());
          throw error;
        }
        builds.push(service);
      }
    }
  }
  await waitForAll(pulled.values());
  await buildServices(context, builds, options.request);
  const ids: Record<string, string> = {};
  for (const service of services)
    ids[service.name] = (await context.engine.images.inspect(imageName(context.project, service))).id;
  return ids;
}

/** Builds images one after another, those that others are made from first. */
export async function buildServices(
  context: ProjectContext,
  services: readonly Service[],
  request: BuildRequest & { readonly withDependencies?: boolean } = {},
): Promise<void> {
  for (const build of orderBuilds(context, services, request)) {
    await context.build(build);
    context.report({ subject: build.image, status: "Built" });
  }
}

/** The builds of services and of those that they are made from, in order. Fails with SERVICE_INVALID where they form a ring. */
export function orderBuilds(
  { project }: Pick<ProjectContext, "project">,
  services: readonly Service[],
  request: BuildRequest = {},
): readonly ServiceBuild[] {
  const ordered = new Map<string, ServiceBuild>();
  const visit = (service: Service | undefined, path: readonly string[]): void => {
    if (service?.build === undefined || ordered.has(service.name)) return;
    if (path.includes(service.name))
      throw new VarveError("SERVICE_INVALID", `build cycle detected: ${[...path, service.name].join(" -> ")}`);
    const build = serviceBuild(project, service, service.build, request);
    for (const name of build.after) visit(project.services[name] ?? project.disabledServices[name], [...path, service.name]);
    ordered.set(service.name, build);
  };
  for (const service of services) visit(service, []);
  return [...ordered.values()];
}

/** Gets the image of a service; each layer is reported. */
export async function pullImage(context: ProjectContext, service: Service): Promise<void> {
  await transferred(context, service.name, ["Pulling", "Pulled"], (onLayer) =>
    context.engine.images.pull(imageName(context.project, service), {
      onLayer,
      ...(context.signal === undefined ? {} : { signal: context.signal }),
      ...(service.platform === undefined ? {} : { platform: service.platform }),
    }),
  );
}

/** Does `work` on the image of a service, and says how far it is. */
export async function transferred(
  { report, signal }: Pick<ProjectContext, "report" | "signal">,
  subject: string,
  [doing, done]: readonly [doing: string, done: string],
  work: (onLayer: (layer: LayerTransfer) => void) => Promise<unknown>,
): Promise<void> {
  report({ subject, text: doing, status: "", isUnderWay: true });
  try {
    await work((layer) => report({ subject, text: doing, status: "", isUnderWay: true, layer }));
    report({ subject, text: done, status: "" });
  } catch (error) {
    if (signal?.aborted === true) report({ subject, status: "Interrupted", isWarning: true });
    else report({ subject, text: "Error", status: isVarveError(error) ? error.message : String(error), failed: true });
    throw error;
  }
}
