import type { HostConfig, RestartPolicy } from "../../containers/index.ts";
import { VarveError } from "../../errors/index.ts";
import { parseSize } from "../../units/index.ts";
import { cut } from "../flags.ts";
import type { Io } from "../io.ts";
import { optional } from "../store.ts";
import type { ContainerFlags } from "./container-flags.ts";
import { readFlagFile } from "./env-values.ts";
import { usage } from "./flag-values.ts";

type Modes = Pick<HostConfig, "pidMode" | "ipcMode" | "utsMode"> & Pick<HostConfig, "cgroupnsMode">;

/** Whose namespaces: `--pid`, `--ipc`, `--uts`, `--userns` and `--cgroupns`. */
export function readModes(flags: Pick<ContainerFlags, "pid" | "ipc" | "uts" | "userns" | "cgroupns">): Modes {
  const { pid = "", ipc = "", uts = "", userns = "", cgroupns = "" } = flags;
  if (uts !== "" && uts !== "host") throw usage("--uts: invalid UTS mode");
  // Root's containers have no user namespace, those of others are all in the store's.
  if (userns !== "" && userns !== "host") throw usage("--userns: invalid USER mode");
  if (cgroupns !== "" && cgroupns !== "host" && cgroupns !== "private") throw usage("--cgroupns: invalid CGROUP mode");
  return {
    pidMode: readMode(pid, ["host"], () => usage("--pid: invalid PID mode")) as HostConfig["pidMode"],
    ipcMode: readMode(ipc, ["host", "shareable", "none", "private"], () =>
      usage(`invalid IPC mode: ${ipc}`),
    ) as HostConfig["ipcMode"],
    utsMode: uts === "host" ? "host" : "private",
    ...(cgroupns === "" ? {} : { cgroupnsMode: cgroupns as NonNullable<HostConfig["cgroupnsMode"]> }),
  };
}

function readMode(text: string, known: readonly string[], fail: () => VarveError): string {
  if (text === "") return "private";
  if (known.includes(text) || /^container:./.test(text)) return text;
  throw fail();
}

const policies: readonly string[] = ["no", "always", "on-failure", "unless-stopped"];

/** `--restart NAME[:RETRIES]`. */
export function readRestart(flags: Pick<ContainerFlags, "restart" | "rm">): RestartPolicy {
  const [name, count = ""] = cut(flags.restart ?? "", ":");
  if (flags.restart?.startsWith(":") === true) throw usage("invalid restart policy format: no policy provided before colon");
  if (count !== "" && !/^[+-]?\d+$/.test(count))
    throw usage("invalid restart policy format: maximum retry count must be an integer");
  if (flags.rm === true && name !== "" && name !== "no")
    throw usage("conflicting options: cannot specify both --restart and --rm");
  if (name !== "" && !policies.includes(name))
    throw usage(`invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`);
  const maximumRetries = Number(count);
  if (maximumRetries !== 0 && name !== "on-failure")
    throw usage("invalid restart policy: maximum retry count can only be used with 'on-failure'");
  if (maximumRetries < 0) throw usage("invalid restart policy: maximum retry count cannot be negative");
  return { name: name === "" ? "no" : (name as RestartPolicy["name"]), maximumRetries };
}

/** `--log-driver` and `--log-opt`. */
export function readLog(flags: Pick<ContainerFlags, "log-driver" | "log-opt">): HostConfig["log"] {
  const driver = flags["log-driver"] === undefined || flags["log-driver"] === "" ? "json-file" : flags["log-driver"];
  const options = new Map(flags["log-opt"].map((option) => cut(option, "=")));
  if (driver === "none") {
    if (options.size > 0) throw usage("invalid logging opts for driver none");
    return { driver };
  }
  if (driver !== "json-file") {
    throw new VarveError(
      "CONTAINER_UNSUPPORTED",
      `error looking up logging plugin ${driver}: plugin ${JSON.stringify(driver)} not found`,
      {
        hint: "there are json-file and none",
      },
    );
  }
  for (const name of options.keys()) {
    if (name !== "max-size" && name !== "max-file") throw unknownOption(name);
  }
  const size = options.get("max-size");
  const files = options.get("max-file");
  const maxBytes = size === undefined || size === "-1" ? undefined : parseSize(size);
  if (size !== undefined && size !== "-1" && maxBytes === undefined) throw usage(`invalid value for max-size: ${size}`);
  if (files !== undefined && !/^[1-9]\d*$/.test(files)) throw usage("max-file cannot be less than 1");
  return { driver, ...optional("maxBytes", maxBytes), ...optional("maxFiles", files === undefined ? undefined : Number(files)) };
}

const dockersOptions: readonly string[] = [
  "mode",
  "max-buffer-size",
  "compress",
  "labels",
  "labels-regex",
  "env",
  "env-regex",
  "tag",
];

function unknownOption(name: string): VarveError {
  if (!dockersOptions.includes(name)) return usage(`unknown log opt '${name}' for json-file log driver`);
  return new VarveError("CONTAINER_UNSUPPORTED", `--log-opt ${name} is not supported`, {
    hint: "there are max-size and max-file",
  });
}

/** `--security-opt`, with the text of a seccomp profile in the place of its file's name. */
export function readSecurityOptions(values: readonly string[], io: Pick<Io, "cwd">): readonly string[] {
  return values.map((option) => {
    const [, name = "", value = ""] = /^([^=:]+)(?:[=:](.*))?$/s.exec(option) ?? [];
    if (value === "" && name !== "no-new-privileges" && name !== "writable-cgroups")
      throw usage(`Invalid --security-opt: ${JSON.stringify(option)}`);
    if (name !== "seccomp" || value === "unconfined" || value === "builtin") return option;
    let text: string;
    try {
      text = readFlagFile(value, io).toString();
    } catch (cause) {
      const { message } = cause as Error;
      throw new VarveError("USAGE", `opening seccomp profile (${value}) failed: ${message}`, { cause });
    }
    try {
      return `seccomp=${JSON.stringify(JSON.parse(text))}`;
    } catch (cause) {
      const { message } = cause as Error;
      throw new VarveError("USAGE", `compacting json for seccomp profile (${value}) failed: ${message}`, { cause });
    }
  });
}
