import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { VarveError } from "../errors/index.ts";
import type { State } from "../state/index.ts";
import { measureFolder } from "./folder-size.ts";
import { readLocalOptions } from "./local-options.ts";
import type { UsedBy, VolumeMount, VolumeRecord, Volumes } from "./types.ts";

export const volumesSchema = `
CREATE TABLE IF NOT EXISTS volumes (
  name TEXT PRIMARY KEY,
  created INTEGER NOT NULL,   -- milliseconds since 1970
  labels TEXT NOT NULL,       -- JSON object
  options TEXT NOT NULL,      -- JSON object
  anonymous INTEGER NOT NULL,
  seeded INTEGER NOT NULL     -- was mounted
) WITHOUT ROWID;
`;

export interface VolumesOptions {
  readonly state: State;
  /** The store's folder. */
  readonly root: string;
  /** What an ordinary user may not do with what containers left there, under other ids: asked for only where it is needed. */
  readonly privileged: {
    readonly remove: (paths: readonly string[]) => Promise<void>;
    readonly measure: (folder: string) => Promise<number>;
  };
}

/** Docker's mark of a volume without a name. */
const anonymousLabel = "com.docker.volume.anonymous";

interface Row {
  readonly name: string;
  readonly created: number;
  readonly labels: string;
  readonly options: string;
  readonly anonymous: number;
  readonly seeded: number;
}

export function openVolumes({ state, root, privileged }: VolumesOptions): Volumes {
  const folder = join(root, "volumes");
  const rowOf = (name: string): Row | undefined => state.get<Row>("SELECT * FROM volumes WHERE name = ?", name);
  const needRow = (name: string): Row => {
    const row = rowOf(name);
    if (row === undefined) throw new VarveError("VOLUME_NOT_FOUND", `get ${name}: no such volume`);
    return row;
  };
  const read = (row: Row): VolumeRecord => ({
    name: row.name,
    driver: "local",
    createdMs: row.created,
    labels: JSON.parse(row.labels) as Record<string, string>,
    options: JSON.parse(row.options) as Record<string, string>,
    anonymous: row.anonymous === 1,
    mountpoint: join(folder, row.name, "_data"),
  });
  const mountOf = (volume: VolumeRecord): VolumeMount =>
    readLocalOptions(volume.name, volume.options) ?? { type: "bind", source: volume.mountpoint, readonly: false };

  /** The row goes first, with the look at who uses it; the folder gets a name that no volume has, and then goes too. */
  async function drop(name: string, usedBy: UsedBy): Promise<void> {
    const gone = join(folder, `.gone-${randomBytes(8).toString("hex")}`);
    state.transaction(() => {
      const users = usedBy(name);
      if (users.length > 0) throw new VarveError("VOLUME_IN_USE", `remove ${name}: volume is in use - [${users.join(", ")}]`);
      state.run("DELETE FROM volumes WHERE name = ?", name);
      renameIfThere(join(folder, name), gone);
    });
    const left = readdirSync(folder).filter((entry) => entry.startsWith(".gone-"));
    await removeFolders(left.map((entry) => join(folder, entry)));
  }
  async function removeFolders(paths: readonly string[]): Promise<void> {
    const refused = paths.filter((path) => {
      try {
        rmSync(path, { recursive: true, force: true });
        return false;
      } catch (error) {
        if (isDenied(error)) return true;
        throw error;
      }
    });
    if (refused.length > 0) await privileged.remove(refused);
  }
  async function measure(volume: VolumeRecord): Promise<number> {
    try {
      return measureFolder(volume.mountpoint);
    } catch (error) {
      if (isDenied(error)) return await privileged.measure(volume.mountpoint);
      throw error;
    }
  }

  const volumes: Volumes = {
    list: () => state.all<Row>("SELECT * FROM volumes ORDER BY name").map(read),
    get: (name) => read(needRow(name)),
    has: (name) => rowOf(name) !== undefined,
    // eslint-disable-next-line typescript/require-await -- other drivers would be asked
    create: async ({ name: wished, driver = "local", labels = {}, options = {} } = {}) => {
      const anonymous = wished === undefined || wished === "";
      const name = anonymous ? randomBytes(32).toString("hex") : wished;
      if (driver !== "local")
        throw new VarveError(
          "VOLUME_UNSUPPORTED",
          `create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`,
        );
      checkName(name);
      const found = rowOf(name);
      if (found !== undefined) return read(found);
      readLocalOptions(name, options);
      mkdirSync(folder, { recursive: true, mode: 0o711 });
      const data = join(folder, name, "_data");
      mkdirSync(data, { recursive: true, mode: 0o711 });
      // whatever the umask is: users of the container find their way in
      chmodSync(data, 0o755);
      state.run(
        "INSERT OR IGNORE INTO volumes (name, created, labels, options, anonymous, seeded) VALUES (?, ?, ?, ?, ?, 0)",
        name,
        Date.now(),
        JSON.stringify(anonymous ? { ...labels, [anonymousLabel]: "" } : labels),
        JSON.stringify(options),
        Number(anonymous),
      );
      return volumes.get(name);
    },
    mountOf: (name) => mountOf(volumes.get(name)),
    isFresh: (name) => needRow(name).seeded === 0,
    needsSeeding(name) {
      const mount = mountOf(volumes.get(name));
      return volumes.isFresh(name) && mount.type === "bind" && isEmpty(mount.source);
    },
    markSeeded: (name) => void state.run("UPDATE volumes SET seeded = 1 WHERE name = ?", name),
    async remove(name, { usedBy, force = false }) {
      if (force && rowOf(name) === undefined) return;
      needRow(name);
      await drop(name, usedBy);
    },
    async prune({ usedBy, all = false, accepts = () => true }) {
      const removed: string[] = [];
      let freedBytes = 0;
      for (const volume of volumes.list()) {
        // as in Docker, those with a device stay
        if (!(all || volume.anonymous) || Object.keys(volume.options).length > 0 || !accepts(volume)) continue;
        if (usedBy(volume.name).length > 0) continue;
        const bytes = await measure(volume);
        await drop(volume.name, usedBy);
        removed.push(volume.name);
        freedBytes += bytes;
      }
      return { removed, freedBytes };
    },
    measure: async (name) => await measure(volumes.get(name)),
  };
  return volumes;
}

function checkName(name: string): void {
  if (name.length === 1)
    throw new VarveError(
      "VOLUME_INVALID",
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    );
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name) || name.length > 255)
    throw new VarveError(
      "VOLUME_INVALID",
      `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed`,
      { hint: "if you intended to pass a host directory, use absolute path" },
    );
}

function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch (error) {
    // what a container has made its own is not new
    if (isDenied(error) || (error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

function isDenied(error: unknown): boolean {
  return ["EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
