import { rm, open } from "node:fs/promises";
import { resolve } from "node:path";
import { VarveError } from "../../errors/index.ts";
import { hasCode } from "../../sys/index.ts";
import type { Io } from "../io.ts";

/**
 * The file of `--cidfile`, made before the container and taken away again where none is made. One that is there is refused: it may
 * be that of a container which runs.
 */
export async function openCidFile(
  name: string | undefined,
  io: Io,
): Promise<{ fill<T extends { readonly id: string }>(create: () => Promise<T>): Promise<T> }> {
  if (name === undefined || name === "") return { fill: async (create) => await create() };
  const path = resolve(io.cwd, name);
  const file = await open(path, "wx", 0o644).catch((error: unknown) => {
    if (hasCode(error, "EEXIST")) {
      const message = `container ID file found, make sure the other container isn't running or delete ${name}`;
      throw new VarveError("USAGE", message, { cause: error });
    }
    throw new VarveError("FILE_UNWRITABLE", `failed to create the container ID file ${name}`, { cause: error });
  });
  return {
    async fill(create) {
      try {
        const made = await create();
        await file.writeFile(made.id);
        return made;
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      } finally {
        await file.close();
      }
    },
  };
}
