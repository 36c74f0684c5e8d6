import { closeSync, type BigIntStats } from "node:fs";
import { VarveError, isVarveError } from "../errors/index.ts";
import { unpackArchive } from "../layers/index.ts";
import { fdPath, hasCode, openPath } from "../sys/index.ts";
import { lookupUser, openRootedFolder, removePath, type RootedFolder } from "../tree/index.ts";
import { namesFolder, topName } from "./copy-names.ts";
import { packPath } from "./copy-pack.ts";
import { mountForCopy } from "./copy-mount.ts";
import { isRunning } from "./kernel-process.ts";
import type { CopyRequest } from "./copy-types.ts";
import type { PathInfo } from "./types.ts";

/** Does what a copying process was asked for. The archive comes from stdin, or goes to stdout. */
export async function runCopyRequest(request: CopyRequest): Promise<PathInfo | undefined> {
  const { root, task } = request;
  const rootFd = openPath(findRoot(request));
  // Another process may have got the number meanwhile, one of this machine; what was opened before stays what it is.
  if (root.kind === "process" && !isRunning(root.process))
    throw new VarveError("CONTAINER_CONFLICT", `container ${request.name} has ended`);
  const rootPath = fdPath(rootFd);
  const folder = openRootedFolder(rootPath);
  try {
    if (task.kind === "in") return await copyIn(rootPath, folder, request, task);
    if (task.kind === "remove") return await removeAll(rootPath, request, task.paths);
    if (task.kind === "export") return await send(packPath({ root: folder, path: "/", as: "" }));
    const found = locate(folder, request, { followLast: task.followLink });
    if (task.kind === "stat") return found === undefined ? undefined : describe(folder, found, request.path);
    if (found === undefined) throw missing(request);
    const as = task.as ?? topName(task.followLink ? found.path : request.path);
    return await send(packPath({ root: folder, path: found.path, as }));
  } finally {
    folder.close();
    closeSync(rootFd);
  }
}

function findRoot({ root, userNamespace }: CopyRequest): string {
  if (root.kind === "process") return `/proc/${root.process.pid}/root`;
  return root.kind === "folder" ? root.path : mountForCopy(root, userNamespace);
}

async function send(archive: AsyncIterable<Uint8Array>): Promise<undefined> {
  for await (const block of archive) await writeOut(block);
  await new Promise<void>((resolve) => process.stdout.end(resolve));
}

async function copyIn(
  rootPath: string,
  folder: RootedFolder,
  request: CopyRequest,
  { owner }: CopyRequest["task"] & { readonly kind: "in" },
): Promise<undefined> {
  const found = locate(folder, { ...request, path: request.path.replace(/(.)(?:\/\.?)+$/, "$1") }, { followLast: true });
  if (found === undefined) throw missing(request);
  if (!found.stats.isDirectory()) throw new VarveError("CONTAINER_COPY", "extraction point is not a directory");
  const given = owner === undefined ? undefined : lookupUser(rootPath, owner);
  try {
    const outcome = await unpackArchive({
      source: process.stdin,
      target: () => rootPath,
      owner: given,
      userNamespace: request.userNamespace,
      asCopy: { below: found.path, shown: request.path, withoutAttributes: false },
    });
    if (outcome === "no archive")
      throw new VarveError("CONTAINER_COPY", "unexpected EOF: what was given is no tar archive", {
        hint: "archives are plain, or compressed with gzip, bzip2, xz or zstd",
      });
  } catch (error) {
    throw explainReadOnly(error, request, found.path);
  }
  return undefined;
}

async function removeAll(rootPath: string, request: CopyRequest, paths: readonly string[]): Promise<undefined> {
  for (const path of paths) {
    try {
      await removePath(rootPath, { path, allowNotFound: true, allowWildcard: false });
    } catch (error) {
      throw explainReadOnly(error, request, path);
    }
  }
}

function explainReadOnly(error: unknown, { mountTargets }: CopyRequest, path: string): unknown {
  const causes = isVarveError(error) ? [error.cause, error] : [error];
  if (!causes.some((cause) => hasCode(cause, "EROFS"))) return error;
  const isMount = mountTargets.some((target) => path === target || path.startsWith(`${target}/`));
  const what = isMount ? "mounted volume" : "container rootfs";
  return new VarveError("CONTAINER_COPY", `${what} is marked read-only`, { cause: error });
}

interface Located {
  readonly path: string;
  readonly stats: BigIntStats;
}

/** Resolves a path inside the root; one that ends as folders do must be a folder, and its last link is followed. */
function locate(
  folder: RootedFolder,
  { path }: CopyRequest,
  { followLast }: { readonly followLast: boolean },
): Located | undefined {
  const asFolder = namesFolder(path);
  const resolved = folder.resolve(path, { followLast: followLast || asFolder });
  const stats = folder.lstat(resolved);
  if (stats === undefined) return undefined;
  if (asFolder && !stats.isDirectory()) throw new VarveError("CONTAINER_COPY", `lstat ${path}: not a directory`);
  return { path: resolved, stats };
}

function missing({ path, name }: CopyRequest): VarveError {
  return new VarveError("CONTAINER_PATH_NOT_FOUND", `Could not find the file ${path} in container ${name}`);
}

function describe(folder: RootedFolder, { path, stats }: Located, asked: string): PathInfo {
  const kinds = [
    ["file", stats.isFile()],
    ["directory", stats.isDirectory()],
    ["symlink", stats.isSymbolicLink()],
  ] as const;
  return {
    name: topName(asked),
    sizeBytes: Number(stats.size),
    mode: Number(stats.mode & 0o7777n),
    kind: kinds.find(([, is]) => is)?.[0] ?? "other",
    ...(stats.isSymbolicLink() ? { linkTarget: folder.readLink(path) } : {}),
    modifiedMs: Number(stats.mtimeNs / 1_000_000n),
  };
}

async function writeOut(block: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(block, (error) => (error ? reject(error) : resolve()));
  });
}
