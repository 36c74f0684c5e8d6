import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { sleep } from "../flow/index.ts";
import { hasCode } from "../sys/index.ts";
import type { TerminalSize } from "./types.ts";

/** conmon takes two messages that it finds at once for the first one twice. (conmon, src/ctrl.c, read_from_ctrl_buffer) */
const gapMs = 25;

/** Sends sizes to conmon's named pipe, one at a time; of those that wait, only the last counts. */
export function sizeSender(controlPath: string): { send(size: TerminalSize): Promise<void> } {
  let waiting: TerminalSize | undefined;
  let sending: Promise<void> | undefined;
  const sendAll = async (): Promise<void> => {
    while (waiting !== undefined) {
      const { rows, columns } = waiting;
      waiting = undefined;
      await sendControl(controlPath, `1 ${rows} ${columns}\n`);
      await sleep(gapMs);
    }
    sending = undefined;
  };
  return {
    async send(size) {
      waiting = size;
      await (sending ??= sendAll());
    },
  };
}

/** Tells a monitor something. A pipe that nobody reads (ENXIO) or that is gone is that of a container which has ended. */
export async function sendControl(path: string, message: string): Promise<void> {
  try {
    const pipe = await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      await pipe.write(message);
    } finally {
      await pipe.close();
    }
  } catch (error) {
    if (!hasCode(error, "ENXIO", "ENOENT", "EPIPE")) throw error;
  }
}
