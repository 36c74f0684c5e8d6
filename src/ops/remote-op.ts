import { realpathSync } from "node:fs";
import { basename, dirname } from "node:path";
import { isVarveError } from "../errors/index.ts";
import { plainCopy, type FileAction, type FileCopy, type Vertex } from "../llb/index.ts";
import type { Ref } from "../snapshots/index.ts";
import type { SolverOp } from "../solver/index.ts";
import {
  fileNameOf,
  type FetchStatus,
  type GitRequest,
  type GitUseOptions,
  type HttpFile,
  type HttpFileRequest,
  type ResolvedGit,
} from "../sources/index.ts";
import type { OpsOptions } from "./create-ops.ts";
import { placeOf } from "./place.ts";
import { writeSnapshot } from "./stacks.ts";
import { fileTask, type WireRef } from "./tasks.ts";

/** What reading remote sources takes, with or without a graph. */
export type RemoteOptions = Pick<OpsOptions, "http" | "git" | "pins" | "secrets" | "agents">;

/** What a URL stands for; asked once in a build. */
export function fetchOnce(
  request: HttpFileRequest,
  { http, pins, secrets }: RemoteOptions,
  { signal, onStatus }: { readonly signal: AbortSignal; readonly onStatus?: (status: FetchStatus) => void },
): Promise<HttpFile> {
  const secret = (id: string) => secrets.get(id);
  return pins.once(JSON.stringify(["http", request]), () => http.fetch(request, { signal, secret, onStatus }));
}

/** What a ref stands for; asked once in a build. */
export function resolveOnce(
  request: GitRequest,
  options: RemoteOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<ResolvedGit> {
  const name = JSON.stringify(["git", request.remote, request.ref, request.checksum, request.fetchByCommit]);
  return options.pins.once(name, () => options.git.resolve(request, credentialsOf(options, signal)));
}

/** The secrets and agents that git may ask for. */
export function credentialsOf(
  { secrets, agents }: Pick<RemoteOptions, "secrets" | "agents">,
  signal: AbortSignal,
): GitUseOptions {
  return { signal, secret: (id) => secrets.get(id), sshAgent: (id) => agents.socketOf(id) };
}

/** A file behind a URL. With a checksum its key is known without asking anybody. */
export function createHttpOp(vertex: Vertex, request: HttpFileRequest, options: OpsOptions): SolverOp<Ref> {
  const { http, content, onStatus } = options;
  const fetch = (signal: AbortSignal) =>
    fetchOnce(request, options, { signal, onStatus: (status) => onStatus(vertex.digest, status) });
  return {
    cacheMap: (signal) =>
      placing(vertex, options, async () => {
        const { checksum } = request;
        const known =
          checksum === undefined
            ? await fetch(signal)
            : { digest: checksum, filename: fileNameOf(request, undefined), modifiedSeconds: undefined };
        return { digest: http.keyOf(request, known), dependencies: [], stands: known.digest };
      }),
    exec: (_, { signal }) =>
      placing(vertex, options, async () => {
        const { digest, filename, modifiedSeconds = 0 } = await fetch(signal);
        const blob = content.pathOf(digest);
        const input: WireRef = { kind: "folder", path: realpathSync(dirname(blob)), exclude: [], only: [] };
        const copy: FileCopy = {
          ...plainCopy,
          src: `/${basename(blob)}`,
          dest: `/${filename}`,
          mode: request.mode,
          timestamp: modifiedSeconds * 1e9,
          owner: { user: { kind: "id", id: request.uid }, group: { kind: "id", id: request.gid } },
        };
        const actions: FileAction[] = [{ kind: "copy", input: -1, secondaryInput: 0, output: 0, copy }];
        return [
          await writeSnapshot([], options, (snapshot) =>
            options.worker.call(fileTask, { inputs: [input], actions, snapshot }, { signal }),
          ),
        ];
      }),
  };
}

/** The tree of a commit. What a branch stands for is asked once in a build. */
export function createGitOp(vertex: Vertex, request: GitRequest, options: OpsOptions): SolverOp<Ref> {
  const { git } = options;
  const resolve = (signal: AbortSignal) => resolveOnce(request, options, { signal });
  return {
    cacheMap: (signal) =>
      placing(vertex, options, async () => {
        const resolved = await resolve(signal);
        return { digest: git.keyOf(request, resolved), dependencies: [], stands: resolved.commit };
      }),
    exec: (_, { signal }) =>
      placing(vertex, options, async () => {
        const resolved = await resolve(signal);
        return [
          await writeSnapshot([], options, (snapshot) =>
            git.checkout(request, resolved, { ...credentialsOf(options, signal), snapshot }),
          ),
        ];
      }),
  };
}

/** Says of an error where in the Dockerfile its cause stands. */
async function placing<T>(vertex: Vertex, { sources }: OpsOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isVarveError(error) ? error.at(placeOf(vertex, sources)) : error;
  }
}
