import type { Project, Service } from "../compose-file/index.ts";

/** `app-web-1`, or the name that the file gives. */
export function containerName(project: Pick<Project, "name">, service: Service, number: number, separator = "-"): string {
  return service.container_name ?? [project.name, service.name, String(number)].join(separator);
}

/** What the service runs: the image that it names, or the one that its build makes. */
export function imageName(project: Pick<Project, "name">, service: Service): string {
  return service.image ?? `${project.name}-${service.name}`;
}
