import { closeSync } from "node:fs";
import { VarveError } from "../errors/index.ts";
import { endOnAbort, throwIfAborted } from "../flow/index.ts";
import { fdPath, makeWhiteout, openPath, type FileTime } from "../sys/index.ts";
import { parseWhiteout, readTar, type TarEntry, type TarLimits } from "../tar/index.ts";
import { cleanParts, toFsPath, type BytePath } from "./byte-path.ts";
import { setFolderTime } from "./folder-time.ts";
import { explainWrite } from "./layer-failures.ts";
import { listLower, openLowers } from "./lower-view.ts";
import { markOpaque } from "./overlay-marks.ts";
import { openParentFolders } from "./parent-folders.ts";
import { kindAt, placeEntry, placeWhiteout, type LayerTarget } from "./place-entry.ts";

export interface ApplyOptions {
  /** The layer's tar, uncompressed. Read to its end, also behind the end mark. */
  readonly source: AsyncIterable<Uint8Array>;
  /** A fresh folder that nobody else writes to. After a failure it holds half a layer: delete it. Nothing is synced. */
  readonly target: string;
  /** Folders of the layers below, bottom first: parents and hard links that the layer takes for granted are looked up there. */
  readonly lowers: readonly string[];
  /** Keep the overlay's marks in `user.overlay.*`, as in a user namespace. */
  readonly userXattr: boolean;
  readonly limits?: Partial<TarLimits>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: AppliedLayer) => void;
}

export interface AppliedLayer {
  readonly entries: number;
  /** Bytes of the files' content. */
  readonly bytes: number;
  /** Device nodes left out since a user namespace may not make them, as containerd does. */
  readonly skippedDevices: number;
}

/**
 * Unpacks a layer (OCI image-spec, layer.md, "Applying Changesets") in overlay's form: whiteouts become character devices
 * 0:0, opaque marks an attribute. The archive is hostile until shown otherwise: every entry's parent is resolved inside
 * `target` as if that were `/`, and what happens in it happens through the open folder, without following links.
 */
export async function applyLayer(options: ApplyOptions): Promise<AppliedLayer> {
  const { userXattr, signal, onProgress } = options;
  const rootFd = openPath(options.target);
  const lowers = openLowers(options.lowers, { userXattr });
  const times = new Map<BytePath, FileTime>();
  const folders = openParentFolders({
    rootFd,
    lowers,
    userXattr,
    onMade: (parts, mtime) => times.set(parts.join("/"), mtime),
    climbing: "stops",
  });
  const layer: LayerTarget = { folders, lowers, userXattr, isArchive: false };
  const done = { entries: 0, bytes: 0, skippedDevices: 0 };
  let rootIsOpaque = false;
  try {
    for await (const entry of readTar(endOnAbort(signal)(options.source), {
      ...(options.limits && { limits: options.limits }),
    })) {
      done.entries += 1;
      done.bytes += entry.size;
      if (done.entries % 256 === 0) {
        throwIfAborted(signal);
        onProgress?.(done);
      }
      const parts = cleanParts(entry.path.toString("latin1"));
      if (parts.length === 0) continue; // the root's own attributes are not the layer's to set (containerd ignores them too)
      try {
        const outcome = await applyEntry(entry, parts, layer);
        if (outcome === "opaque root") rootIsOpaque = true;
        if (outcome === "skipped") done.skippedDevices += 1;
      } catch (error) {
        throw explainWrite(error, entry.name);
      }
      if (entry.type === "directory") times.set(parts.join("/"), entry.mtime);
    }
    if (rootIsOpaque) hideRoot(rootFd, layer);
    for (const [path, mtime] of times) setFolderTime(rootFd, path, mtime);
    onProgress?.(done);
    return done;
  } finally {
    folders.close();
    closeSync(rootFd);
  }
}

type Outcome = "placed" | "skipped" | "opaque root";

async function applyEntry(entry: TarEntry, parts: BytePath[], layer: LayerTarget): Promise<Outcome> {
  const { folders, userXattr } = layer;
  const parents = parts.slice(0, -1);
  const base = parts.at(-1) ?? "";
  for (const part of parents) {
    if (!part.startsWith(".wh.")) continue;
    if (parseWhiteout(part).kind === "reserved") return "placed";
    throw new VarveError("LAYER_MALFORMED", `"${entry.name}" lies in a folder whose name marks a deletion`);
  }
  const mark = parseWhiteout(base);
  if (mark.kind === "reserved") return "placed";
  const folder = folders.ensure(parents);
  if (mark.kind === "opaque") {
    if (parents.length === 0) return "opaque root";
    markOpaque(`${fdPath(folder)}/.`, userXattr);
    return "placed";
  }
  if (mark.kind === "whiteout") {
    placeWhiteout(toFsPath(`${fdPath(folder)}/${mark.name}`), layer);
    return "placed";
  }
  return (await placeEntry(entry, { folder, base, layer })) ? "placed" : "skipped";
}

/** An overlay does not heed a mark on a layer's root: everything below is hidden name by name. */
function hideRoot(rootFd: number, layer: LayerTarget): void {
  for (const name of listLower(layer.lowers)) {
    const path = toFsPath(`${fdPath(rootFd)}/${name}`);
    const kind = kindAt(path);
    if (kind === undefined) makeWhiteout(path);
    else if (kind.isDirectory()) markOpaque(path, layer.userXattr);
  }
}
