import { randomBytes } from "node:crypto";
import type { ContainerRow } from "./container-store.ts";
import { execIn } from "./exec.ts";
import type { ContainerHandle } from "./handle.ts";
import type { ContainerRoom } from "./room.ts";
import type { Attached, ExecRequest } from "./types.ts";

/** Starts a program in a container, and writes down when it began and, where somebody waits for it, when it ended. */
export async function execAloud(
  room: ContainerRoom,
  row: ContainerRow,
  { handle, request }: { readonly handle: ContainerHandle; readonly request: ExecRequest },
  options: { readonly signal?: AbortSignal },
): Promise<Attached> {
  const execID = randomBytes(32).toString("hex");
  const words = request.command.join(" ");
  room.events.tell(row, `exec_create: ${words}`, { attributes: { execID } });
  const attached = await execIn(handle, row.config, request, options);
  room.events.tell(row, `exec_start: ${words}`, { attributes: { execID } });
  if (request.detached === true) return attached;
  const exitCode = attached.exitCode.then((code) => {
    room.events.tell(row, "exec_die", { attributes: { execID, exitCode: String(code) } });
    return code;
  });
  exitCode.catch(() => undefined); // whoever waits for it is told
  return { ...attached, exitCode };
}
