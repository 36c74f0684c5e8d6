import type { Containers } from "../containers/index.ts";
import type { Images, LayerTransfer, RemoteImages } from "../engine/index.ts";
import type { CreateNetwork, NetworkRecord } from "../networks/index.ts";
import type { VolumeRecord, Volumes } from "../volumes/index.ts";

/** What a project is carried out on: the parts of `Varve` that it needs. */
export interface ComposeEngine {
  readonly containers: Containers;
  readonly networks: {
    list(): readonly Pick<NetworkRecord, "id" | "name" | "labels">[];
    create(request: CreateNetwork): Promise<unknown>;
    remove(name: string): Promise<unknown>;
  };
  readonly volumes: Pick<Volumes, "list" | "create"> & {
    remove(name: string, options?: { readonly force?: boolean }): Promise<VolumeRecord | void>;
  };
  readonly images: Pick<Images, "list" | "inspect" | "pull" | "push" | "remove">;
  readonly remoteImages: Pick<RemoteImages, "inspect" | "pushArtifact">;
}

/** Told of each change of a container, network, volume or image, in Docker Compose's words. */
export type Report = (event: StepEvent) => void;

export interface StepEvent {
  /** `Container app-web-1`, `Network app_default`, or the service whose image is on its way. */
  readonly subject: string;
  /** What is done for the subject where that is no state of it: `Pulling`, `Skipped - Image can be built` … */
  readonly text?: string;
  /** `Creating`, `Created`, `Running`, `Waiting`, `Healthy` …; empty where the text says it all. */
  readonly status: string;
  /** What is under way and not yet done. */
  readonly isUnderWay?: boolean;
  readonly failed?: boolean;
  /** Done, but not as was asked for. */
  readonly isWarning?: boolean;
  /** It would be so: nothing was done. */
  readonly isDryRun?: boolean;
  /** What became of one layer of the image; the subject is as it was. */
  readonly layer?: LayerTransfer;
}
