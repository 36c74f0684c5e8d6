import { spawn } from "node:child_process";
import { setPriority } from "node:os";
import { pruneStore, gcRules, readDisk } from "../gc/index.ts";
import { isVarveError } from "../errors/index.ts";
import { modulePath } from "../package/index.ts";
import type { Settings } from "./open-varve.ts";
import { openParts, type Parts } from "./parts.ts";
import { readStoreSettings, storeRooms } from "./store-care.ts";

/** Between two collections, in milliseconds; BuildKit waits as long after a build before it looks again. */
const pauseMs = 10 * 60 * 1000;
/** The same when the disk is nearly full. */
const shortPauseMs = 60 * 1000;

const runsTable = "CREATE TABLE IF NOT EXISTS gc_runs (one INTEGER PRIMARY KEY CHECK (one = 1), time INTEGER NOT NULL)";

/**
 * Starts a collection of garbage in a process of its own when one is due, and does not wait for it. Costs one row and one
 * statfs(2) when none is.
 */
export async function startCollection(parts: Parts, settings: Settings): Promise<void> {
  if (!(await readStoreSettings(parts)).gc || !isDue(parts)) return;
  const { root, configPath, dockerConfigDir, path } = settings;
  const child = spawn(
    process.execPath,
    [modulePath("engine/gc-entry"), JSON.stringify({ root, configPath, dockerConfigDir, path })],
    {
      stdio: "ignore",
      detached: true,
      cwd: "/",
      env: { PATH: path, LANG: "C.UTF-8" },
    },
  );
  // it is tried again after the next builds
  child.on("error", () => undefined);
  if (child.pid !== undefined) setPriority(child.pid, 19);
  child.unref();
}

/** Whether a collection is due; if so, for one caller only. A new store's first one is due after a pause. */
function isDue({ state, root }: Parts): boolean {
  const now = Date.now();
  state.run(runsTable);
  const last = state.get<{ time: number }>("SELECT time FROM gc_runs")?.time;
  if (last === undefined) {
    state.run("INSERT OR IGNORE INTO gc_runs (one, time) VALUES (1, ?)", now);
    return false;
  }
  const { freeBytes, totalBytes } = readDisk(root);
  const pause = freeBytes < totalBytes / 10 ? shortPauseMs : pauseMs;
  // a clock that went back must not stop collections for good
  if (now - last < pause && now >= last) return false;
  try {
    return state.run("UPDATE gc_runs SET time = ? WHERE time = ?", now, last).changes > 0;
  } catch (error) {
    // a full disk that another process of the store keeps from its reserve: the command that ends has done its work
    if (isVarveError(error) && error.code === "DISK_FULL") return false;
    throw error;
  }
}

/** What the process does that {@link startCollection} starts. */
export async function collectGarbage(settings: Settings): Promise<void> {
  const parts = openParts(settings);
  try {
    const config = await readStoreSettings(parts);
    await pruneStore(storeRooms(parts), { rules: (disk) => gcRules(config, disk), signal: new AbortController().signal });
  } finally {
    await parts.close({ collect: false });
  }
}
