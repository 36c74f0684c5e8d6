import type { Containers, EventsOptions } from "../../containers/index.ts";
import { describeEvent, type ContainerEvent } from "./container-events.ts";

export interface WatchContainers extends EventsOptions {
  readonly signal: AbortSignal;
  readonly onEvent: (event: ContainerEvent) => Promise<void>;
}

/** Tells what happens to containers, until `signal` or `untilMs`. */
export async function watchContainers(
  containers: Pick<Containers, "events">,
  { onEvent, ...options }: WatchContainers,
): Promise<void> {
  for await (const event of containers.events(options)) await onEvent(describeEvent(event));
}
