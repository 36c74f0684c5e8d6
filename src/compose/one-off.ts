import { randomBytes } from "node:crypto";
import type { Port, Service } from "../compose-file/index.ts";
import { converge, type ConvergeOptions } from "./converge.ts";
import { allServices, type ProjectContext } from "./context.ts";
import { findImage, makeImages } from "./images.ts";
import { makeContainer } from "./make-container.ts";
import { makeResources } from "./resources.ts";
import { dependenciesOf, selectServices } from "./service-order.ts";
import { startServices } from "./start-services.ts";
import { awaitDependencies } from "./wait-ready.ts";
import { VarveError } from "../errors/index.ts";

/** What `run` changes of a service for one container. */
export interface OneOffRequest extends Pick<ConvergeOptions, "build" | "pull" | "removeOrphans" | "ignoreOrphans" | "request"> {
  readonly service: string;
  /** Empty: the service's own. */
  readonly command: readonly string[];
  readonly name?: string;
  readonly entrypoint?: readonly string[];
  /** Over those of the service; null: as if the file said nothing. */
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDir?: string;
  readonly volumes?: NonNullable<Service["volumes"]>;
  readonly ports?: readonly Port[];
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
  /** Publish the ports of the service. */
  readonly servicePorts?: boolean;
  /** Other containers find it under the service's name. */
  readonly useAliases?: boolean;
  /** Without the services that it depends on. */
  readonly alone?: boolean;
  readonly autoRemove?: boolean;
}

/** Makes a container for `run`, with what its service depends on started. It does not run yet. Returns its ID. */
export async function makeOneOff(context: ProjectContext, request: OneOffRequest): Promise<string> {
  const { project } = context;
  const known = allServices(project);
  const service = known[request.service];
  if (service === undefined) throw new VarveError("SERVICE_NOT_FOUND", `no such service: ${request.service}`);
  const dependencies = request.alone === true ? [] : dependenciesOf(service).filter((name) => known[name] !== undefined);
  if (dependencies.length > 0) {
    const services = await converge(context, {
      services: dependencies,
      recreate: "diverged",
      ...(request.removeOrphans === undefined ? {} : { removeOrphans: request.removeOrphans }),
      ...(request.ignoreOrphans === undefined ? {} : { ignoreOrphans: request.ignoreOrphans }),
    });
    await startServices(
      context,
      selectServices(
        known,
        services.map(({ name }) => name),
        { alone: true },
      ),
    );
    await awaitDependencies(context, service);
  }
  const imageIds = await makeImages(context, [service], request);
  await makeResources(context, [service]);
  const slug = randomBytes(6).toString("hex");
  return await makeContainer(context, changedService(service, request), {
    number: 1,
    imageId: imageIds[service.name] ?? (await findImage(context, service))?.id ?? "",
    oneOff: {
      slug,
      name: request.name ?? [project.name, service.name, "run", slug].join(context.separator ?? "-"),
      useAliases: request.useAliases === true,
      autoRemove: request.autoRemove === true,
      stdinOnce: request.stdin,
    },
  });
}

/** The service as its one-off container is made: it publishes nothing and is not restarted, unless that is asked for. */
export function changedService(service: Service, request: OneOffRequest): Service {
  const { container_name: name, restart, ports, ...rest } = service;
  void [name, restart];
  const published = [...(request.servicePorts === true ? (ports ?? []) : []), ...(request.ports ?? [])];
  return {
    ...rest,
    ...(request.command.length === 0 ? (request.entrypoint === undefined ? {} : { command: [] }) : { command: request.command }),
    ...(request.entrypoint === undefined ? {} : { entrypoint: request.entrypoint }),
    environment: { ...service.environment, ...request.environment },
    labels: { ...service.labels, ...request.labels },
    ...(request.user === undefined ? {} : { user: request.user }),
    ...(request.workingDir === undefined ? {} : { working_dir: request.workingDir }),
    ...(published.length === 0 ? {} : { ports: published }),
    volumes: [...(service.volumes ?? []), ...(request.volumes ?? [])],
    cap_add: [...(service.cap_add ?? []), ...(request.capAdd ?? [])],
    cap_drop: [...(service.cap_drop ?? []), ...(request.capDrop ?? [])],
    tty: request.tty,
    stdin_open: request.stdin,
  };
}
