import { readFile } from "node:fs/promises";
import { VarveError } from "../errors/index.ts";
import { encodeEntry, endOfArchive, padding } from "../tar/index.ts";
import type { ProjectContext } from "./context.ts";
import type { GrantedFile } from "./granted-files.ts";

/** Puts the secrets and configs that are copies into a container that does not run yet; they go with it. */
export async function copyFiles(
  { engine, signal }: ProjectContext,
  containerId: string,
  files: readonly GrantedFile[],
): Promise<void> {
  const copies = files.filter((file) => file.kind === "copy");
  if (copies.length === 0) return;
  const parts: Buffer[] = [];
  for (const { target, from, uid, gid, mode } of copies) {
    const body = "text" in from ? Buffer.from(from.text) : await readGranted(from.file);
    const path = target.replace(/^\/+/, "");
    parts.push(
      encodeEntry({
        type: "file",
        path,
        mode,
        uid,
        gid,
        mtime: { sec: BigInt(Math.floor(Date.now() / 1000)), nsec: 0 },
        size: body.length,
      }),
      body,
      padding(body.length),
    );
  }
  const archive = Buffer.concat([...parts, endOfArchive]);
  await engine.containers.copyIn(containerId, "/", oneChunk(archive), {
    keepOwners: true,
    ...(signal === undefined ? {} : { signal }),
  });
}

async function readGranted(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new VarveError("SERVICE_INVALID", `the file ${file} of a secret or config cannot be read`, { cause });
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
