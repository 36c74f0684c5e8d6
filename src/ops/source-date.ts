import { createReadStream } from "node:fs";
import type { ContentStore } from "../content/index.ts";
import { isVarveError } from "../errors/index.ts";
import { decompress } from "../layers/index.ts";
import type { SourceOp } from "../llb/index.ts";
import { readGitRequest, readHttpRequest } from "../sources/index.ts";
import { readTar } from "../tar/index.ts";
import { credentialsOf, fetchOnce, resolveOnce, type RemoteOptions } from "./remote-op.ts";

/** What it takes to read the date of a remote source. */
export type SourceDateOptions = RemoteOptions & {
  readonly content: Pick<ContentStore, "pathOf">;
  readonly signal: AbortSignal;
};

/**
 * The date of a source (A06), in seconds since 1970: of a repository the commit's; of a URL the server's Last-Modified, else
 * the newest of the files in the archive that it is. Undefined for a file without either, and for all other sources.
 */
export async function dateOfSource({ identifier, attrs }: SourceOp, options: SourceDateOptions): Promise<number | undefined> {
  const { git, content, signal } = options;
  if (/^https?:/.test(identifier)) {
    const { modifiedSeconds, digest } = await fetchOnce(readHttpRequest(identifier, attrs), options, { signal });
    return modifiedSeconds ?? (await newestInArchive(content.pathOf(digest), signal));
  }
  if (!identifier.startsWith("git://")) return undefined;
  const request = readGitRequest(identifier, attrs);
  return await git.dateOf(request, await resolveOnce(request, options, { signal }), credentialsOf(options, signal));
}

/** The time of the newest regular file; undefined for what is no archive. */
async function newestInArchive(path: string, signal: AbortSignal): Promise<number | undefined> {
  let newest: bigint | undefined;
  try {
    const { content } = await decompress(createReadStream(path), { signal });
    for await (const { type, mtime } of readTar(content)) {
      // a hard link is a regular file too
      if ((type === "file" || type === "link") && (newest === undefined || mtime.sec > newest)) newest = mtime.sec;
    }
    return newest === undefined ? undefined : Number(newest);
  } catch (error) {
    if (isVarveError(error) && /^(?:TAR|LAYER_COMPRESSION)_/.test(error.code)) return undefined;
    throw error;
  }
}
