import type { ContainerRow } from "./container-store.ts";

/** Whether a container that ended with this code is started again. (Docker docs, "Start containers automatically") */
export function wantsRestart({ config, run }: Pick<ContainerRow, "config" | "run">, exitCode: number): boolean {
  const { name, maximumRetries } = config.host.restart;
  if (run.stoppedByHand === true || name === "no") return false;
  if (name !== "on-failure") return true;
  return exitCode !== 0 && (maximumRetries === 0 || run.restartCount < maximumRetries);
}
