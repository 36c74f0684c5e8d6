import type { Containers } from "../containers/index.ts";
import type { Images } from "../engine/index.ts";
import type { Networks } from "../networks/index.ts";
import type { VolumeRecord, Volumes } from "../volumes/index.ts";

/** What a project is carried out on: the parts of `Varve` that it needs. */
export interface ComposeEngine {
  readonly containers: Containers;
  readonly networks: Pick<Networks, "list" | "create" | "remove">;
  readonly volumes: Pick<Volumes, "list" | "create"> & {
    remove(name: string, options?: { readonly force?: boolean }): Promise<VolumeRecord | void>;
  };
  readonly images: Pick<Images, "list" | "inspect" | "pull" | "push" | "remove">;
}

/** Told of each change of a container, network, volume or image, in Docker Compose's words. */
export type Report = (event: StepEvent) => void;

export interface StepEvent {
  /** `Container app-web-1`, `Network app_default`. */
  readonly subject: string;
  /** `Creating`, `Created`, `Running`, `Waiting`, `Healthy` … */
  readonly status: string;
  /** What is under way and not yet done. */
  readonly isUnderWay?: boolean;
  readonly failed?: boolean;
}
