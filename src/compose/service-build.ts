import { isAbsolute, join } from "node:path";
import type { BuildSection, FileGrant, Project, Service } from "../compose-file/index.ts";
import { VarveError } from "../errors/index.ts";
import { packageVersion } from "../package/index.ts";
import { labels } from "./labels.ts";
import { imageName } from "./names.ts";

/** The build of a service's image, as the command line of `varve build` that it stands for. */
export interface ServiceBuild {
  readonly service: string;
  readonly image: string;
  /** Flags and the context; `--file=-` where `dockerfile` has the text. */
  readonly args: readonly string[];
  /** `dockerfile_inline` */
  readonly dockerfile?: string;
  /** Services whose images it uses: they are built before. */
  readonly after: readonly string[];
}

/** What the command line adds to the files; it wins over them. */
export interface BuildRequest {
  /** `KEY=value`, or `KEY` for that of the environment. */
  readonly buildArgs?: readonly string[];
  readonly noCache?: boolean;
  readonly pull?: boolean;
  readonly push?: boolean;
  readonly ssh?: readonly string[];
  readonly provenance?: string;
  readonly sbom?: string;
  readonly builder?: string;
}

const isUrl = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\/|^git@|^github\.com\//.test(text);

/** `build:` of a service (Compose Build Specification) → `varve build`. Fails with SERVICE_INVALID. */
export function serviceBuild(project: Project, service: Service, build: BuildSection, request: BuildRequest = {}): ServiceBuild {
  const image = imageName(project, service);
  const after: string[] = [];
  const contexts = Object.entries(build.additional_contexts ?? {}).map(([name, value]) => {
    if (!value.startsWith("service:")) return `--build-context=${name}=${value}`;
    const other = value.slice("service:".length);
    const target = project.services[other] ?? project.disabledServices[other];
    if (target === undefined)
      throw new VarveError("SERVICE_INVALID", `service "${service.name}" builds with the undefined service "${other}"`);
    after.push(other);
    return `--build-context=${name}=docker-image://${imageName(project, target)}`;
  });
  const args = [
    ...[...new Set([image, ...(build.tags ?? [])])].map((tag) => `--tag=${tag}`),
    ...fileArgs(build),
    ...Object.entries(build.args ?? {}).map(([key, value]) => `--build-arg=${value === null ? key : `${key}=${value}`}`),
    ...(request.buildArgs ?? []).map((arg) => `--build-arg=${arg}`),
    ...flag("target", build.target),
    ...contexts,
    ...(build.cache_from ?? []).map((value) => `--cache-from=${value}`),
    ...(build.cache_to ?? []).map((value) => `--cache-to=${value}`),
    ...(request.noCache === true || build.no_cache === true ? ["--no-cache"] : []),
    ...(build.no_cache_filter ?? []).map((stage) => `--no-cache-filter=${stage}`),
    ...(request.pull === true || build.pull === true ? ["--pull"] : []),
    ...(request.push === true ? ["--push"] : []),
    ...(build.secrets ?? []).map((grant) => secretArg(grant, project)),
    ...(build.ssh ?? []).map(({ id, path }) => `--ssh=${path === undefined ? id : `${id}=${path}`}`),
    ...(request.ssh ?? []).map((value) => `--ssh=${value}`),
    ...platformsOf(project, service, build).map((platform) => `--platform=${platform}`),
    ...Object.entries({ ...build.labels, ...projectLabels(project, service) }).map(([key, value]) => `--label=${key}=${value}`),
    ...flag("network", build.network),
    ...flag("shm-size", build.shm_size === undefined ? undefined : String(build.shm_size)),
    ...(build.extra_hosts ?? []).map((host) => `--add-host=${host}`),
    ...Object.entries(build.ulimits ?? {}).map(([name, limit]) =>
      typeof limit === "number" ? `--ulimit=${name}=${limit}` : `--ulimit=${name}=${limit.soft}:${limit.hard}`,
    ),
    ...[...(build.entitlements ?? []), ...(build.privileged === true ? ["security.insecure"] : [])].map(
      (name) => `--allow=${name}`,
    ),
    ...flag("isolation", build.isolation),
    ...flag("provenance", request.provenance ?? build.provenance),
    ...flag("sbom", request.sbom ?? build.sbom),
    ...flag("builder", request.builder),
    "--",
    build.context,
  ];
  return {
    service: service.name,
    image,
    args,
    after,
    ...(build.dockerfile_inline === undefined ? {} : { dockerfile: build.dockerfile_inline }),
  };
}

/** A relative path starts from the context; of a URL it is a path in it. */
function fileArgs({ context, dockerfile, dockerfile_inline: inline }: BuildSection): readonly string[] {
  if (inline !== undefined) return ["--file=-"];
  if (dockerfile === undefined) return [];
  return [`--file=${isUrl(context) || isUrl(dockerfile) || isAbsolute(dockerfile) ? dockerfile : join(context, dockerfile)}`];
}

function secretArg({ source, target }: FileGrant, project: Project): string {
  const object = project.secrets[source];
  if (object === undefined) throw new VarveError("SERVICE_INVALID", `a build refers to the undefined secret ${source}`);
  const id = target ?? source;
  if (object.file !== undefined) return `--secret=type=file,id=${id},"src=${object.file.replaceAll('"', '""')}"`;
  if (object.environment !== undefined) return `--secret=type=env,id=${id},env=${object.environment}`;
  throw new VarveError("SERVICE_INVALID", `build.secrets only supports environment or file-based secrets: "${source}"`);
}

function platformsOf(project: Project, service: Service, build: BuildSection): readonly string[] {
  if (build.platforms !== undefined && build.platforms.length > 0) return build.platforms;
  const one = service.platform ?? project.environment["DOCKER_DEFAULT_PLATFORM"];
  return one === undefined || one === "" ? [] : [one];
}

function projectLabels(project: Project, service: Service): Readonly<Record<string, string>> {
  return { [labels.project]: project.name, [labels.service]: service.name, [labels.version]: packageVersion() };
}

function flag(name: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [`--${name}=${value}`];
}
