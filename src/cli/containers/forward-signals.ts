import type { Containers } from "../../containers/index.ts";
import { isVarveError } from "../../errors/index.ts";

/** Sends each signal on to a container, one after the other. One that has ended needs none. */
export function forwardSignals(containers: Containers, id: string): (signal: NodeJS.Signals) => void {
  let sending: Promise<void> = Promise.resolve();
  return (signal) => {
    sending = sending.then(async () => {
      try {
        await containers.kill(id, { killSignal: signal });
      } catch (error) {
        if (!isVarveError(error)) throw error;
      }
    });
  };
}
