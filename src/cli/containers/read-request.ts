import type { ContainerRequest, HostConfig } from "../../containers/index.ts";
import { VarveError } from "../../errors/index.ts";
import type { Io } from "../io.ts";
import { nonEmpty, optional } from "../store.ts";
import type { ContainerFlags } from "./container-flags.ts";
import { readEnv, readLabels } from "./env-values.ts";
import { readBytes, readInteger, usage } from "./flag-values.ts";
import { readHealth } from "./health-values.ts";
import { readLog, readModes, readRestart, readSecurityOptions } from "./mode-values.ts";
import { readMounts } from "./mount-values.ts";
import { readDns, readExtraHosts, readNetworks } from "./network-values.ts";
import { readExposed, readPorts } from "./port-values.ts";
import { refuseUnsupported } from "./refuse-unsupported.ts";
import { readDeviceRules, readDevices, readResources, readSysctls, readUlimits } from "./resource-values.ts";

/**
 * What `run` and `create` ask for, from their flags and `IMAGE [COMMAND] [ARG...]`. Reads the files that flags name, relative to
 * `io.cwd`; opens nothing else. Messages are Docker's; a wrong value is USAGE, what Varve does not do CONTAINER_UNSUPPORTED.
 */
export async function readContainerRequest(flags: ContainerFlags, args: readonly string[], io: Io): Promise<ContainerRequest> {
  const [image, ...command] = args;
  if (image === undefined) throw new VarveError("USAGE", "an image is needed");
  refuseUnsupported(flags);
  const exposedPorts = readExposed(flags.expose);
  const { entrypoint, tty, interactive } = flags;
  return await Promise.resolve({
    image,
    ...(command.length === 0 ? {} : { command }),
    ...optional("name", nonEmpty(flags.name)),
    ...optional("platform", nonEmpty(flags.platform) ?? nonEmpty(io.env["DOCKER_DEFAULT_PLATFORM"])),
    ...optional("pull", readPull(flags.pull)),
    // An empty one takes the image's away, and its command with it.
    ...(entrypoint === undefined ? {} : { entrypoint: entrypoint === "" ? [] : [entrypoint] }),
    env: readEnv(flags, io),
    ...optional("labels", readLabels(flags, io)),
    ...optional("workingDir", readWorkingDir(flags.workdir)),
    ...optional("user", nonEmpty(flags.user)),
    ...optional("hostname", nonEmpty(flags.hostname)),
    ...optional("domainName", nonEmpty(flags.domainname)),
    tty: tty === true,
    openStdin: interactive === true,
    stdinOnce: interactive === true && flags.detach !== true,
    ...optional("stopSignal", readSignal(flags["stop-signal"])),
    ...optional("stopTimeoutS", readInteger(flags["stop-timeout"], "--stop-timeout")),
    ...optional("healthcheck", readHealth(flags)),
    ...(exposedPorts.length === 0 ? {} : { exposedPorts }),
    host: readHost(flags, io),
  });
}

function readHost(flags: ContainerFlags, io: Io): Partial<HostConfig> {
  checkIsolation(flags);
  const { init, privileged } = flags;
  const shmBytes = readBytes(flags["shm-size"], "--shm-size");
  const deviceCgroupRules = readDeviceRules(flags["device-cgroup-rule"]);
  const annotations = Object.fromEntries(flags.annotation.map(readAnnotation));
  return {
    autoRemove: flags.rm === true,
    restart: readRestart(flags),
    ...readNetworks(flags),
    ports: readPorts(flags.publish),
    publishAll: flags["publish-all"] === true,
    extraHosts: readExtraHosts(flags["add-host"]),
    ...readDns(flags),
    mounts: readMounts(flags, io),
    readonlyRoot: flags["read-only"] === true,
    init: init === true,
    privileged: privileged === true,
    capAdd: flags["cap-add"],
    capDrop: flags["cap-drop"],
    securityOpt: readSecurityOptions(flags["security-opt"], io),
    devices: readDevices(flags.device),
    ...(deviceCgroupRules.length === 0 ? {} : { deviceCgroupRules }),
    groupAdd: flags["group-add"],
    sysctls: readSysctls(flags.sysctl),
    ulimits: readUlimits(flags.ulimit),
    ...optional("shmBytes", shmBytes === 0 ? undefined : shmBytes),
    ...readModes(flags),
    resources: readResources(flags),
    log: readLog(flags),
    ...optional("oomScoreAdj", readOomScore(flags["oom-score-adj"])),
    ...optional("cgroupParent", nonEmpty(flags["cgroup-parent"])),
    ...(flags.annotation.length === 0 ? {} : { annotations }),
  };
}

function readPull(text: string | undefined): ContainerRequest["pull"] {
  switch (text) {
    case undefined:
    case "":
    case "missing":
      return undefined;
    case "always":
    case "never":
      return text;
    default:
      throw usage(`invalid pull option: '${text}': must be one of "always", "missing" or "never"`);
  }
}

function readWorkingDir(path: string | undefined): string | undefined {
  if (path === undefined || path === "") return undefined;
  if (!path.startsWith("/")) throw usage(`the working directory '${path}' is invalid, it needs to be an absolute path`);
  return path;
}

const signals: readonly string[] =
  `ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT RTMAX RTMIN SEGV
  STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ`.split(/\s+/);

function readSignal(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  const name = text.toUpperCase().replace(/^SIG/, "");
  const isNumber = /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 64;
  if (isNumber || signals.includes(name) || /^RTM(?:IN\+|AX-)\d{1,2}$/.test(name)) return text;
  throw usage(`invalid signal: ${text}`);
}

function readOomScore(text: string | undefined): number | undefined {
  const score = readInteger(text, "--oom-score-adj");
  if (score === undefined || score === 0) return undefined;
  if (Math.abs(score) > 1000) throw usage(`Invalid value ${score}, range for oom score adj is [-1000, 1000]`);
  return score;
}

function readAnnotation(text: string): readonly [name: string, value: string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function checkIsolation(flags: ContainerFlags): void {
  const { isolation = "", "volume-driver": driver = "" } = flags;
  if (isolation !== "" && isolation.toLowerCase() !== "default")
    throw usage(`invalid isolation (${isolation}): linux only supports 'default'`);
  if (driver !== "" && driver !== "local") {
    throw new VarveError(
      "CONTAINER_UNSUPPORTED",
      `error looking up volume plugin ${driver}: plugin ${JSON.stringify(driver)} not found`,
      {
        hint: "the driver is local: there are no plugins",
      },
    );
  }
}
