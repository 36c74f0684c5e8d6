import type { Project, Service } from "../compose-file/index.ts";
import { packageVersion } from "../package/index.ts";

const prefix = "com.docker.compose";

/** The labels by which Docker Compose knows what belongs to a project, so that its tools know Varve's, too. */
export const labels = {
  project: `${prefix}.project`,
  service: `${prefix}.service`,
  number: `${prefix}.container-number`,
  oneOff: `${prefix}.oneoff`,
  slug: `${prefix}.slug`,
  configHash: `${prefix}.config-hash`,
  image: `${prefix}.image`,
  version: `${prefix}.version`,
  dependsOn: `${prefix}.depends_on`,
  workingDir: `${prefix}.project.working_dir`,
  configFiles: `${prefix}.project.config_files`,
  environmentFile: `${prefix}.project.environment_file`,
  network: `${prefix}.network`,
  volume: `${prefix}.volume`,
} as const;

/** Of one container of a service, over the labels that the file gives. */
export function containerLabels(
  project: Project,
  service: Service,
  made: { readonly number: number; readonly configHash: string; readonly imageId: string; readonly slug?: string },
): Readonly<Record<string, string>> {
  return {
    ...service.labels,
    [labels.configHash]: made.configHash,
    [labels.number]: String(made.number),
    [labels.dependsOn]: Object.entries(service.depends_on ?? {})
      .map(([name, { condition, restart = false }]) => `${name}:${condition}:${restart}`)
      .join(","),
    [labels.image]: made.imageId,
    [labels.oneOff]: made.slug === undefined ? "False" : "True",
    ...(made.slug === undefined ? {} : { [labels.slug]: made.slug }),
    [labels.project]: project.name,
    [labels.configFiles]: project.composeFiles.join(","),
    [labels.workingDir]: project.workingDir,
    ...(project.envFiles.length === 0 ? {} : { [labels.environmentFile]: project.envFiles.join(",") }),
    [labels.service]: service.name,
    [labels.version]: packageVersion(),
  };
}

/** Of a network or a volume: `kind` is the label that holds its key in the file. */
export function resourceLabels(
  project: Project,
  kind: "network" | "volume",
  made: { readonly key: string; readonly configHash: string; readonly own: Readonly<Record<string, string>> | undefined },
): Readonly<Record<string, string>> {
  return {
    ...made.own,
    [labels.configHash]: made.configHash,
    [labels[kind]]: made.key,
    [labels.project]: project.name,
    [labels.version]: packageVersion(),
  };
}
