import type { State } from "../state/index.ts";
import { copiesSchema } from "./copy-holds.ts";
import { eventsSchema } from "./event-log.ts";
import type { KernelProcess } from "./kernel-process.ts";
import type { ContainerConfig, ContainerState, Endpoint, MountRequest, PortRequest } from "./types.ts";

export const containersSchema = `
CREATE TABLE IF NOT EXISTS containers (
  id TEXT PRIMARY KEY,      -- 64 hexadecimal digits
  name TEXT NOT NULL UNIQUE,
  created INTEGER NOT NULL, -- milliseconds since 1970
  image TEXT NOT NULL,      -- digest of the image's config
  config TEXT NOT NULL,     -- JSON: ContainerConfig
  layers TEXT NOT NULL,     -- JSON: snapshot ids of its root, bottom first
  mounts TEXT NOT NULL,     -- JSON: mounts as they were made
  run TEXT NOT NULL         -- JSON: ContainerRun, what is known of its last start
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS container_locks (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL       -- process that starts, stops or removes it
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS container_ends (
  id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  exit_code INTEGER NOT NULL,
  time INTEGER NOT NULL,    -- milliseconds since 1970
  PRIMARY KEY (id, generation)
) WITHOUT ROWID;
${eventsSchema}${copiesSchema}`;

/** How a container was started last, and what became of it. */
export interface ContainerRun extends Omit<ContainerState, "pid"> {
  /** Its first process. */
  readonly process?: KernelProcess;
  /** conmon. */
  readonly monitor?: KernelProcess;
  /** The shell that waits for the monitor, and then has the end recorded. */
  readonly keeper?: KernelProcess;
  /** Tries its health. */
  readonly prober?: KernelProcess;
  /** Begins new log files. */
  readonly rotator?: KernelProcess;
  readonly runtimePath?: string;
  readonly runtimeArguments?: readonly string[];
  readonly monitorPath?: string;
  /** Inside a user namespace: without root. */
  readonly userNamespace?: boolean;
  readonly cgroupsPath?: string;
  /** `stop` or `kill` ended it: policies do not start it again. */
  readonly stoppedByHand?: boolean;
  /** The wait before the last start by its policy. */
  readonly restartDelayMs?: number;
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  readonly ports: readonly (PortRequest & { readonly hostIp: string; readonly hostPort: number })[];
  /** Counts starts: whoever waits for an end knows which. */
  readonly generation: number;
}

export interface ContainerRow {
  readonly id: string;
  readonly name: string;
  readonly createdMs: number;
  readonly config: ContainerConfig;
  readonly layers: readonly number[];
  readonly mounts: readonly MountRequest[];
  readonly run: ContainerRun;
}

export interface ContainerStore {
  /** Newest first. */
  list(): readonly ContainerRow[];
  get(id: string): ContainerRow | undefined;
  byName(name: string): ContainerRow | undefined;
  byIdPrefix(hex: string): readonly ContainerRow[];
  /** False when the name is taken. */
  add(row: ContainerRow): boolean;
  /** Changes what is known of the last start, in one transaction; undefined when the container is gone. */
  change(id: string, edit: (run: ContainerRun) => ContainerRun): ContainerRow | undefined;
  setConfig(id: string, config: ContainerConfig): void;
  /** False when the name is taken. */
  rename(id: string, name: string): boolean;
  forget(id: string): void;
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly created: number;
  readonly config: string;
  readonly layers: string;
  readonly mounts: string;
  readonly run: string;
}

export function openContainerStore({ state }: { readonly state: State }): ContainerStore {
  const find = (where: string, ...params: string[]) =>
    state.all<Row>(`SELECT id, name, created, config, layers, mounts, run FROM containers ${where}`, ...params).map(fromRow);
  const get = (id: string) => find("WHERE id = ?", id)[0];
  const byName = (name: string) => find("WHERE name = ?", name)[0];
  return {
    list: () => find("ORDER BY created DESC, id"),
    get,
    byName,
    byIdPrefix: (hex) => find("WHERE id >= ? AND id < ?", hex, `${hex}g`),
    add: ({ id, name, createdMs, config, layers, mounts, run }) =>
      state.run(
        "INSERT OR IGNORE INTO containers (id, name, created, image, config, layers, mounts, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        id,
        name,
        createdMs,
        config.imageId,
        JSON.stringify(config),
        JSON.stringify(layers),
        JSON.stringify(mounts),
        JSON.stringify(run),
      ).changes > 0,
    change: (id, edit) =>
      state.transaction(() => {
        const row = get(id);
        if (row === undefined) return undefined;
        const run = edit(row.run);
        state.run("UPDATE containers SET run = ? WHERE id = ?", JSON.stringify(run), id);
        return { ...row, run };
      }),
    setConfig: (id, config) => void state.run("UPDATE containers SET config = ? WHERE id = ?", JSON.stringify(config), id),
    rename: (id, name) =>
      state.transaction(() => {
        if (byName(name) !== undefined) return false;
        state.run("UPDATE containers SET name = ? WHERE id = ?", name, id);
        return true;
      }),
    forget: (id) => void state.run("DELETE FROM containers WHERE id = ?", id),
  };
}

function fromRow({ id, name, created, config, layers, mounts, run }: Row): ContainerRow {
  return {
    id,
    name,
    createdMs: created,
    config: JSON.parse(config) as ContainerConfig,
    layers: JSON.parse(layers) as number[],
    mounts: JSON.parse(mounts) as MountRequest[],
    run: JSON.parse(run) as ContainerRun,
  };
}
