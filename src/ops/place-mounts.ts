import { chmodSync, chownSync, closeSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { join as joinInRoot } from "node:path/posix";
import { shownId, takeCaches } from "../cache-mounts/index.ts";
import { VarveError } from "../errors/index.ts";
import type { ContainerMount } from "../runtime/index.ts";
import { serveAgent } from "../secrets/index.ts";
import { mountStack } from "../snapshots/index.ts";
import { bindFd, fdPath, hasCode, openFlags, openInRoot, openPath, unmount } from "../sys/index.ts";
import type { TaskContext } from "../worker/index.ts";
import type { ExecMount, ExecOutput } from "./tasks.ts";

/** Where the parts of a step are, once they are mounted. */
export interface PlacedMounts {
  readonly root: string;
  /** Parents before what lies below them. */
  readonly mounts: readonly ContainerMount[];
}

/** Mounts the root of a step and makes its other mounts ready. All of it is taken down with the stack. */
export async function placeMounts(
  mounts: readonly ExecMount[],
  {
    cwd,
    context,
    stack,
  }: { readonly cwd: string; readonly context: TaskContext<ExecOutput>; readonly stack: AsyncDisposableStack },
): Promise<PlacedMounts> {
  const requests = mounts.map(({ source }) => source).filter((source) => source.kind === "cache");
  const caches = await takeCaches(requests, {
    context,
    stack,
    onWait: (id) =>
      context.emit({ stream: 2, data: Buffer.from(`waiting for the cache mount ${shownId(id)}, which is in use\n`) }),
  });
  let root: string | undefined;
  const placed: ContainerMount[] = [];
  for (const [index, mount] of mounts.entries()) {
    const destination = mount.dest.startsWith("/") ? mount.dest : joinInRoot("/", cwd, mount.dest);
    if (destination !== "/") placed.push(await place(mount, { destination, index, caches, context, stack }));
    else if (mount.source.kind === "stack") root = openStack(mount.source, context, stack);
    else throw new TypeError("a root is a stack");
  }
  if (root === undefined) throw new TypeError("the command has no root");
  return { root, mounts: placed.sort((a, b) => Buffer.compare(Buffer.from(a.destination), Buffer.from(b.destination))) };
}

interface Placing {
  readonly destination: string;
  readonly index: number;
  readonly caches: ReadonlyMap<string, string>;
  readonly context: TaskContext<ExecOutput>;
  readonly stack: AsyncDisposableStack;
}

async function place(mount: ExecMount, placing: Placing): Promise<ContainerMount> {
  try {
    return await placeSource(mount, placing);
  } catch (error) {
    // chown(2) in a user namespace, to an id that it does not have
    if (!hasCode(error, "EINVAL") || !("uid" in mount.source)) throw error;
    const { uid, gid } = mount.source;
    const message = `the mount at ${placing.destination} cannot belong to ${uid}:${gid}: the user has no such subordinate ids`;
    throw new VarveError("MOUNT_OWNER", message, { cause: error });
  }
}

async function placeSource(mount: ExecMount, placing: Placing): Promise<ContainerMount> {
  const { source, readonly } = mount;
  const { destination, caches, context, stack } = placing;
  switch (source.kind) {
    case "tmpfs":
      return { type: "tmpfs", destination, readonly, ...(source.sizeBytes > 0 ? { sizeBytes: source.sizeBytes } : {}) };
    case "secret":
      return { type: "bind", destination, readonly: true, source: writeSecret(source, placing), flags: secretFlags(source.mode) };
    case "ssh": {
      const { agent, uid, gid, mode } = source;
      const path = join(context.scratch, `agent-${placing.index}`);
      const service = stack.use(await serveAgent({ agent, path, uid, gid, mode: mode & 0o777 }));
      return { type: "bind", destination, readonly, source: service.path };
    }
    case "cache": {
      const folder = caches.get(source.folder);
      if (folder === undefined) throw new TypeError("a cache is locked before it is mounted");
      return { type: "bind", destination, readonly, source: select(folder, mount, placing) };
    }
    case "stack":
      return { type: "bind", destination, readonly, source: select(openStack(source, context, stack), mount, placing) };
  }
}

function openStack(
  { lowers, snapshot }: Extract<ExecMount["source"], { kind: "stack" }>,
  { scratch, userNamespace }: TaskContext<ExecOutput>,
  stack: AsyncDisposableStack,
): string {
  return stack.use(mountStack({ lowers, scratch, userXattr: userNamespace, ...(snapshot === undefined ? {} : { snapshot }) }))
    .path;
}

/** A file in the task's own folder, which is in memory and which no step sees but for this one file (R04). */
function writeSecret(
  { data, uid, gid, mode }: Extract<ExecMount["source"], { kind: "secret" }>,
  { index, context }: Placing,
): string {
  const path = join(context.scratch, `secret-${index}`);
  writeFileSync(path, data, { mode: 0o600, flag: "wx" });
  chownSync(path, uid, gid);
  chmodSync(path, mode & 0o777);
  return path;
}

function secretFlags(mode: number): ("nosuid" | "nodev" | "noexec")[] {
  return (mode & 0o111) === 0 ? ["nosuid", "nodev", "noexec"] : ["nosuid", "nodev"];
}

/**
 * The selected path of a mount, resolved inside it once and bound to a place of our own: links in it, or made in it
 * later, cannot lead the runtime elsewhere (CVE-2024-1753, CVE-2024-23651).
 */
function select(root: string, { selector, source }: ExecMount, { index, context, stack }: Placing): string {
  const rootFd = openPath(root);
  try {
    const fd = openInRoot(rootFd, selector || "/", { flags: openFlags.path });
    try {
      const target = join(context.scratch, `selected-${index}`);
      if (statSync(fdPath(fd)).isDirectory()) mkdirSync(target);
      else writeFileSync(target, "");
      bindFd(fd, target, {});
      stack.defer(() => unmount(target, { detach: true }));
      return target;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    // ENOENT also comes when another step removes it just now
    if (!hasCode(error, "ENOENT", "ENOTDIR", "ELOOP", "ENXIO", "EXDEV")) throw error;
    const kind = source.kind === "cache" ? "cache " : "";
    throw new VarveError("MOUNT_SOURCE", `the source ${selector} of a ${kind}mount is not there`, { cause: error });
  } finally {
    closeSync(rootFd);
  }
}
