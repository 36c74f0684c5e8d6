/**
 * Cache mounts: folders that outlive steps. Who may use which one when (across processes), what a new one begins with, what
 * there is, and how one becomes a blob and a folder again. What a step does in its folder is no concern of this room, and
 * neither is where blobs go to and come from.
 */
export { takeCaches, type CacheRequest } from "./take-caches.ts";
export { folderName, shownId } from "./cache-folders.ts";
export { openCacheMounts, selectMounts, type CacheMountInfo, type CacheMounts, type PackedMount } from "./cache-mounts.ts";
export { isMountLayer, readMount, type MountFacts } from "./mount-layer.ts";
export { cacheMountsHandlers } from "./handlers.ts";
export { measureTask, type Measured } from "./tasks.ts";
