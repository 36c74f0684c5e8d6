import { VarveError } from "../../errors/index.ts";
import { defineCommand, type Command } from "../command.ts";

/** A command of Docker Compose's that is refused by its name, whatever follows. */
function refused(what: string, hint: string): Command {
  return defineCommand({
    usage: "[ARGS...]",
    flags: {},
    args: { min: 0, max: Infinity },
    flagsEndAtArgument: true,
    failureExitCode: 1,
    run() {
      return Promise.reject(new VarveError("NOT_SUPPORTED_YET", `varve compose ${what} is not supported`, { hint }));
    },
  });
}

export const composeBridge = refused(
  "bridge",
  "it runs images of Docker's that write files for Kubernetes; 'varve compose config' prints the whole model for other tools",
);

export const composeAlpha = refused(
  "alpha",
  "these are experiments that Docker Compose may take back; what became of them is a command of its own ('varve compose publish')",
);
