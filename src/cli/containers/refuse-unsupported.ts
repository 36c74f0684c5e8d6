import { VarveError } from "../../errors/index.ts";
import { containerFlags, type ContainerFlags } from "./container-flags.ts";

/** Flags of Docker that Varve refuses, and why. docs/run-flags.md has the same list. */
export const refusals: Readonly<Partial<Record<keyof typeof containerFlags, string>>> = {
  "blkio-weight": "no scheduler of Linux since 5.0 but BFQ knows weights of block devices",
  "blkio-weight-device": "no scheduler of Linux since 5.0 but BFQ knows weights of block devices",
  "cpu-count": "it is a flag of Windows",
  "cpu-percent": "it is a flag of Windows",
  "cpu-rt-period": "real-time scheduling of groups is off in the kernels of all distributions",
  "cpu-rt-runtime": "real-time scheduling of groups is off in the kernels of all distributions",
  "device-read-bps": "limits of block devices are not supported yet",
  "device-read-iops": "limits of block devices are not supported yet",
  "device-write-bps": "limits of block devices are not supported yet",
  "device-write-iops": "limits of block devices are not supported yet",
  gpus: "hooks of GPU vendors are not supported; give their device nodes with --device",
  "io-maxbandwidth": "it is a flag of Windows",
  "io-maxiops": "it is a flag of Windows",
  "kernel-memory": "the kernel has no such limit any more",
  link: "links between containers are Docker's old way; put both on a network of your own, where names resolve",
  "link-local-ip": "addresses of this kind cannot be chosen",
  runtime: "the runtime is chosen for the whole store, with VARVE_RUNTIME",
  "storage-opt": "a container's root has no quota; the store has one (varve.toml, [gc])",
  "use-api-socket": "there is no daemon, and so no socket of its API",
};

/** Fails with CONTAINER_UNSUPPORTED for the first flag that is refused. A value that asks for nothing is not. */
export function refuseUnsupported(flags: ContainerFlags): void {
  for (const [name, why] of Object.entries(refusals)) {
    const value = flags[name as keyof typeof containerFlags];
    if (value === undefined || value === false || value === "" || value === "0") continue;
    if (Array.isArray(value) && value.length === 0) continue;
    throw new VarveError("CONTAINER_UNSUPPORTED", `--${name} is not supported: ${why}`, {
      hint: "docs/run-flags.md lists the flags that are refused",
    });
  }
}
