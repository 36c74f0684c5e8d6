import { cpus, hostname, machine, release, totalmem } from "node:os";
import { existsSync, readFileSync } from "node:fs";
import type { Varve } from "../../engine/index.ts";
import { dockerVersion } from "./called-as.ts";

/** What `docker info` tells and is true here; what only a daemon has is left out. Names as in Docker's API (`/info`). */
export async function gatherInfo(
  varve: Varve,
  {
    containers,
    nowMs,
  }: { readonly containers: readonly { readonly state: { readonly status: string } }[]; readonly nowMs: number },
): Promise<Readonly<Record<string, unknown>>> {
  const [info, images] = await Promise.all([varve.version(), varve.images.list()]);
  const count = (...statuses: readonly string[]): number =>
    containers.filter(({ state }) => statuses.includes(state.status)).length;
  const runtime = info.runtime === undefined ? undefined : (info.runtime.split("/").at(-1) ?? info.runtime);
  const isRoot = process.getuid?.() === 0;
  return {
    ID: info.root,
    Containers: containers.length,
    ContainersRunning: count("running", "restarting"),
    ContainersPaused: count("paused"),
    ContainersStopped: count("created", "exited", "dead", "removing"),
    Images: images.length,
    Driver: "overlayfs",
    DriverStatus: [],
    Plugins: {
      Volume: ["local"],
      Network: ["bridge", "host", "null"],
      Authorization: null,
      Log: ["json-file", "none"],
    },
    SystemTime: new Date(nowMs).toISOString(),
    LoggingDriver: "json-file",
    CgroupDriver: "cgroupfs",
    CgroupVersion: existsSync("/sys/fs/cgroup/cgroup.controllers") ? "2" : "1",
    KernelVersion: release(),
    OperatingSystem: operatingSystem(),
    OSVersion: "",
    OSType: "linux",
    Architecture: machine(),
    NCPU: cpus().length,
    MemTotal: totalmem(),
    DockerRootDir: info.root,
    Name: hostname(),
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: dockerVersion,
    Runtimes: new Map(runtime === undefined ? [] : [[runtime, { path: info.runtime }]]),
    DefaultRuntime: runtime ?? "",
    Swarm: { LocalNodeState: "inactive" },
    LiveRestoreEnabled: true,
    Isolation: "",
    InitBinary: "",
    SecurityOptions: ["name=seccomp,profile=builtin", ...(isRoot ? [] : ["name=rootless"])],
    Warnings: null,
    ClientInfo: { Debug: false, Version: dockerVersion, Context: "default", Plugins: [{ Name: "buildx" }, { Name: "compose" }] },
  };
}

/** The plain form: Docker's lines for what {@link gatherInfo} gives. */
export function printInfo(info: Readonly<Record<string, unknown>>, ownVersion: string): string {
  const text = (key: string): string => String(info[key]);
  const runtimes = [...(info["Runtimes"] as ReadonlyMap<string, unknown>).keys()].join(" ");
  const gibibytes = (Number(info["MemTotal"]) / 2 ** 30).toPrecision(4);
  return [
    "Client: Varve",
    ` Version:    ${dockerVersion}`,
    " Context:    default",
    " Debug Mode: false",
    "",
    "Server:",
    ` Containers: ${text("Containers")}`,
    `  Running: ${text("ContainersRunning")}`,
    `  Paused: ${text("ContainersPaused")}`,
    `  Stopped: ${text("ContainersStopped")}`,
    ` Images: ${text("Images")}`,
    ` Server Version: ${dockerVersion}`,
    ` Varve Version: ${ownVersion}`,
    ` Storage Driver: ${text("Driver")}`,
    ` Logging Driver: ${text("LoggingDriver")}`,
    ` Cgroup Driver: ${text("CgroupDriver")}`,
    ` Cgroup Version: ${text("CgroupVersion")}`,
    " Swarm: inactive",
    ` Runtimes: ${runtimes}`,
    ` Default Runtime: ${text("DefaultRuntime")}`,
    ` Kernel Version: ${text("KernelVersion")}`,
    ` Operating System: ${text("OperatingSystem")}`,
    ` OSType: ${text("OSType")}`,
    ` Architecture: ${text("Architecture")}`,
    ` CPUs: ${text("NCPU")}`,
    ` Total Memory: ${gibibytes}GiB`,
    ` Name: ${text("Name")}`,
    ` Docker Root Dir: ${text("DockerRootDir")}`,
    " Debug Mode: false",
    " Experimental: false",
    " Live Restore Enabled: true",
    "",
  ].join("\n");
}

/** The distribution's own name for itself (os-release(5)). */
function operatingSystem(): string {
  const file = ["/etc/os-release", "/usr/lib/os-release"].find((path) => existsSync(path));
  const line = file === undefined ? undefined : /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readFileSync(file, "utf8"));
  return line?.[1] ?? "Linux";
}
