import type { Container } from "../containers/index.ts";
import { labels } from "./labels.ts";

/** A container of a project, by its labels. */
export interface Observed {
  readonly container: Container;
  readonly id: string;
  readonly name: string;
  readonly service: string;
  readonly number: number;
  readonly configHash: string;
  readonly isOneOff: boolean;
}

/** The containers of a project, by service and number. */
export function observe(containers: readonly Container[], project: string): readonly Observed[] {
  return containers
    .filter(({ config }) => config.labels[labels.project] === project)
    .map((container) => {
      const own = container.config.labels;
      return {
        container,
        id: container.id,
        name: container.name,
        service: own[labels.service] ?? "",
        number: Number(own[labels.number] ?? "0"),
        configHash: own[labels.configHash] ?? "",
        isOneOff: own[labels.oneOff] === "True",
      };
    })
    .toSorted(
      (left, right) => compare(left.service, right.service) || left.number - right.number || compare(left.name, right.name),
    );
}

/** `web-1`: what its lines in the log begin with. */
export function shortName({ name, service, number, isOneOff, container }: Observed): string {
  const project = container.config.labels[labels.project] ?? "";
  if (isOneOff || name !== `${project}-${service}-${number}`) return name;
  return `${service}-${number}`;
}

export function isRunning({ container: { state } }: Observed): boolean {
  return state.status === "running" || state.status === "restarting" || state.status === "paused";
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
