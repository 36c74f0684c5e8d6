import { scaleOf, type Service } from "../compose-file/index.ts";
import { VarveError } from "../errors/index.ts";
import { isRunning, type Observed } from "./observed.ts";
import { orderServices } from "./service-order.ts";

/** What is to become of one container of a service. */
export type ContainerStep =
  | { readonly kind: "create"; readonly number: number }
  | { readonly kind: "recreate"; readonly number: number; readonly old: Observed }
  /** It is as it should be; `start` says that it does not run yet. */
  | { readonly kind: "keep"; readonly number: number; readonly old: Observed; readonly start: boolean }
  | { readonly kind: "remove"; readonly number: number; readonly old: Observed };

export interface ServicePlan {
  readonly service: Service;
  readonly steps: readonly ContainerStep[];
}

export interface PlanInput {
  /** Those to converge, dependencies among them. */
  readonly services: readonly Service[];
  readonly observed: readonly Observed[];
  /** By service: what a container made now would have. */
  readonly wanted: Readonly<Record<string, { readonly configHash: string; readonly imageId: string }>>;
  /** `--scale`, by service. */
  readonly scale?: Readonly<Record<string, number>>;
  /** Services that were named on the command line; `--force-recreate` and the like count for them. Default: all. */
  readonly named?: readonly string[];
  /** `diverged` is the default. */
  readonly recreate?: "diverged" | "force" | "never";
  /** The same for the services that the named ones depend on. */
  readonly recreateDependencies?: "diverged" | "force" | "never";
}

/** Service by service, dependencies first: what must be done for what is there to be what is asked for. */
export function planServices(input: PlanInput): readonly ServicePlan[] {
  const recreated = new Set<string>();
  return orderServices(input.services).map((service) => {
    const isNamed = input.named === undefined || input.named.length === 0 || input.named.includes(service.name);
    const policy = (isNamed ? input.recreate : input.recreateDependencies) ?? "diverged";
    const sharesNamespace = sharedServices(service).some((name) => recreated.has(name));
    const own = input.observed.filter((candidate) => candidate.service === service.name && !candidate.isOneOff);
    const isObsolete = (candidate: Observed): boolean => {
      if (policy !== "diverged") return policy === "force";
      const wanted = input.wanted[service.name];
      if (sharesNamespace || wanted === undefined) return sharesNamespace;
      return candidate.configHash !== wanted.configHash || candidate.container.config.imageId !== wanted.imageId;
    };
    const steps = planContainers(service, own, { scale: wantedScale(service, input), isObsolete });
    if (steps.some(({ kind }) => kind === "recreate" || kind === "remove")) recreated.add(service.name);
    return { service, steps };
  });
}

function wantedScale(service: Service, { scale = {} }: PlanInput): number {
  const wanted = scale[service.name] ?? scaleOf(service);
  if (wanted > 1 && service.container_name !== undefined)
    throw new VarveError(
      "SERVICE_INVALID",
      `the "${service.name}" service is using the custom container name "${service.container_name}", of which there can be only one`,
    );
  return wanted;
}

function planContainers(
  service: Service,
  own: readonly Observed[],
  { scale, isObsolete }: { readonly scale: number; readonly isObsolete: (candidate: Observed) => boolean },
): readonly ContainerStep[] {
  // what is to go first: what would be made anew anyway, then the highest numbers
  const byWorth = own.toSorted(
    (left, right) => Number(isObsolete(left)) - Number(isObsolete(right)) || left.number - right.number,
  );
  const kept = byWorth.slice(0, scale).toSorted((left, right) => left.number - right.number);
  const removed = byWorth.slice(scale).toSorted((left, right) => left.number - right.number);
  const highest = Math.max(0, ...kept.map(({ number }) => number));
  const missing = Array.from({ length: Math.max(0, scale - kept.length) }, (_, index) => highest + 1 + index);
  return [
    ...removed.map((old): ContainerStep => ({ kind: "remove", number: old.number, old })),
    ...kept.map((old): ContainerStep =>
      isObsolete(old)
        ? { kind: "recreate", number: old.number, old }
        : { kind: "keep", number: old.number, old, start: !isRunning(old) || old.container.state.status === "paused" },
    ),
    ...missing.map((number): ContainerStep => ({ kind: "create", number })),
  ];
}

/** Services whose containers' namespaces or volumes this one's use: a new container there makes these stale. */
function sharedServices(service: Service): readonly string[] {
  const modes = [service.network_mode, service.pid, service.ipc].flatMap((mode) =>
    mode?.startsWith("service:") === true ? [mode.slice("service:".length)] : [],
  );
  const volumes = (service.volumes_from ?? [])
    .filter((from) => !from.startsWith("container:"))
    .map((from) => from.split(":")[0] ?? "");
  return [...modes, ...volumes];
}
