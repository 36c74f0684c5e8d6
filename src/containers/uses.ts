import type { State } from "../state/index.ts";
import { openContainerStore, type ContainerRow } from "./container-store.ts";
import { isOver } from "./observe.ts";

/** IDs of the containers that mount a volume, running or not. */
export function findVolumeUsers({ state }: { readonly state: State }, volume: string): readonly string[] {
  return openContainerStore({ state })
    .list()
    .filter(({ mounts }) => mounts.some(({ type, source }) => type === "volume" && source === volume))
    .map(({ id }) => id);
}

/** Snapshots that containers stand on, each with the name of one of them. */
export function snapshotUsers({ state }: { readonly state: State }): ReadonlyMap<number, string> {
  const rows = openContainerStore({ state }).list();
  const layersOf = ({ layers, mounts }: ContainerRow): readonly number[] => [
    ...layers,
    ...mounts.flatMap(({ imageLayers = [] }) => imageLayers),
  ];
  return new Map(rows.flatMap((row) => layersOf(row).map((layer) => [layer, row.name] as const)));
}

/** The containers that were made from an image, newest first. */
export function findImageUsers({ state }: { readonly state: State }, imageId: string): readonly ContainerRow[] {
  return openContainerStore({ state })
    .list()
    .filter(({ config }) => config.imageId === imageId);
}

/** Whether it runs, or is about to be started again. */
export function isContainerUp(row: ContainerRow): boolean {
  return row.run.status === "restarting" || ((row.run.status === "running" || row.run.status === "paused") && !isOver(row));
}
