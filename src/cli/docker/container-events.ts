import type { ContainerEvent as Recorded } from "../../containers/index.ts";

/** Something that happened to a container, as `docker events` tells it. */
export interface ContainerEvent {
  readonly status: string;
  readonly id: string;
  readonly from: string;
  readonly Type: "container";
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: ReadonlyMap<string, string> };
  readonly scope: "local";
  /** Seconds since 1970. */
  readonly time: number;
  readonly timeNano: number;
}

export function describeEvent({ id, action, timeMs, attributes }: Recorded): ContainerEvent {
  const time = Math.floor(timeMs);
  return {
    status: action,
    id,
    from: attributes["image"] ?? "",
    Type: "container",
    Action: action,
    Actor: { ID: id, Attributes: new Map(Object.entries(attributes)) },
    scope: "local",
    time: Math.floor(time / 1000),
    timeNano: time * 1_000_000,
  };
}
