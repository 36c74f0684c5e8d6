import { isVarveError, VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { containerFlags } from "../containers/container-flags.ts";
import { readRestart } from "../containers/mode-values.ts";
import { readResources } from "../containers/resource-values.ts";
import { throwFailures } from "../failures.ts";
import { optional } from "../store.ts";

export const update = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  flags: {
    "blkio-weight": { kind: "string", help: "Block IO (relative weight)", only: [] },
    "cpu-period": containerFlags["cpu-period"],
    "cpu-quota": containerFlags["cpu-quota"],
    "cpu-rt-period": { kind: "string", help: "Limit the CPU real-time period in microseconds", only: [] },
    "cpu-rt-runtime": { kind: "string", help: "Limit the CPU real-time runtime in microseconds", only: [] },
    "cpu-shares": containerFlags["cpu-shares"],
    cpus: containerFlags.cpus,
    "cpuset-cpus": containerFlags["cpuset-cpus"],
    "cpuset-mems": containerFlags["cpuset-mems"],
    memory: containerFlags.memory,
    "memory-reservation": containerFlags["memory-reservation"],
    "memory-swap": containerFlags["memory-swap"],
    "pids-limit": containerFlags["pids-limit"],
    restart: containerFlags.restart,
  },
  args: { min: 1, max: Infinity },
  failureExitCode: 1,
  async run({ flags, args, io, openStore }) {
    if (Object.values(flags).every((value) => value === undefined))
      throw new VarveError("CONTAINER_INVALID", "you must provide one or more flags when using this command");
    const asked = readResources({ ...flags, "memory-swappiness": undefined, "oom-kill-disable": undefined });
    const resources = Object.keys(asked).length === 0 ? undefined : asked;
    const policy = flags.restart === undefined ? undefined : readRestart({ restart: flags.restart, rm: undefined });
    const { containers } = await openStore();
    const failures: VarveError[] = [];
    for (const name of args) {
      try {
        const { warnings } = await containers.update(name, {
          ...optional("resources", resources),
          ...optional("restart", policy),
        });
        for (const warning of warnings) io.stderr.print(`${warning}\n`);
        io.stdout.print(`${name}\n`);
      } catch (error) {
        if (!isVarveError(error)) throw error;
        failures.push(error);
      }
    }
    throwFailures(failures);
  },
});
