import { readSync } from "node:fs";
import { isVarveError, VarveError } from "../errors/index.ts";
import { unpackArchive } from "../layers/index.ts";
import { fdPath } from "../sys/index.ts";
import type { UnpackRequest } from "../tree/index.ts";
import type { TaskContext } from "../worker/index.ts";

/** Unpacks a file that ADD names when it is an archive (C13). False: it is none, and copied as it is. */
export async function unpackFile(
  request: UnpackRequest,
  { userNamespace, signal }: Pick<TaskContext<never>, "userNamespace" | "signal">,
): Promise<boolean> {
  const { fd, name, owner, openDestination } = request;
  try {
    const outcome = await unpackArchive({
      source: readFrom(fd),
      target: () => fdPath(openDestination()),
      owner,
      userNamespace,
      signal,
    });
    return outcome === "unpacked";
  } catch (error) {
    if (!isVarveError(error) || !/^(?:TAR|LAYER)_/.test(error.code)) throw error;
    const hint = error.hint ?? "--unpack=false copies the archive as it is";
    throw new VarveError(error.code, `cannot unpack ${JSON.stringify(name)}: ${error.message}`, {
      cause: error.cause,
      details: error.details,
      hint,
    });
  }
}

const chunkBytes = 1 << 18;

/** In turns with the event loop: reading is done when the chunk before has been used. */
async function* readFrom(fd: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; ;) {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    const length = readSync(fd, chunk, 0, chunkBytes, at);
    if (length === 0) return;
    at += length;
    yield chunk.subarray(0, length);
  }
}
