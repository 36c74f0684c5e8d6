/** Other tools that load and run images: podman over folders of the test's own, and a Docker Engine that is found or started. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { start, succeed, type RunOptions, type RunningCommand } from "./command.ts";
import { hasProgram, isRoot } from "./ways.ts";

/** What podman and docker have in common for these tests. */
export interface Engine {
  readonly name: "podman" | "docker";
  /** Why it loads no OCI archives, where it does not. */
  readonly withoutOci?: string;
  /** Runs a command of it that must succeed; its stdout. */
  run(...args: readonly string[]): Promise<string>;
  /** Flags of `run` for a container in the network of this machine. */
  readonly runFlags: readonly string[];
  start(...args: readonly string[]): RunningCommand;
  /** Removes what the tests brought in, and stops what was started. */
  stop(): Promise<void>;
}

/** Podman that touches no folder outside of this one. A text says why it cannot be had. */
export function openPodman(folder: string): Engine | string {
  if (!hasProgram("podman")) return "there is no podman";
  const at = (name: string) => join(folder, name);
  mkdirSync(folder, { recursive: true });
  const settings = [
    "[engine]",
    'lock_type = "file"',
    'events_logger = "none"',
    'cgroup_manager = "cgroupfs"',
    `tmp_dir = "${at("tmp")}"`,
  ];
  writeFileSync(at("containers.conf"), `${settings.join("\n")}\n`);
  const flags = [
    "--root",
    at("root"),
    "--runroot",
    at("run"),
    "--storage-driver",
    "vfs",
    "--runtime",
    hasProgram("runc") ? "runc" : "crun",
  ];
  const { PATH = "", HOME = "/" } = process.env;
  const options: RunOptions = { env: { PATH, HOME, CONTAINERS_CONF: at("containers.conf"), TMPDIR: folder }, cwd: folder };
  return {
    name: "podman",
    run: async (...args) => await succeed(["podman", ...flags, ...args], options),
    start: (...args) => start(["podman", ...flags, ...args], options),
    // Machines may forbid to raise limits, also for root.
    runFlags: ["--rm", "--network=host", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"],
    stop: async () => void (await start(["podman", ...flags, "rm", "--all", "--force"], options).result),
  };
}

/** The Docker Engine of DOCKER_HOST or of the usual socket; else Debian's dockerd, started for the test. A text says why there is none. */
export async function openDocker(folder: string): Promise<Engine | string> {
  if (!hasProgram("docker")) return "there is no docker command";
  const { PATH = "", HOME = "/", DOCKER_HOST } = process.env;
  const found = DOCKER_HOST === undefined ? {} : { DOCKER_HOST };
  if (answers({ PATH, HOME, ...found })) return docker({ PATH, HOME, ...found }, async () => undefined);
  if (!isRoot) return "no Docker Engine answers, and only root can start one";
  if (!hasProgram("dockerd")) return "no Docker Engine answers, and there is no dockerd";
  const env = { PATH, HOME, DOCKER_HOST: `unix://${join(folder, "docker.sock")}` };
  const stopEngine = await startDockerd(folder, env);
  return typeof stopEngine === "string" ? stopEngine : docker(env, stopEngine);
}

function answers(env: Readonly<Record<string, string>>): boolean {
  return spawnSync("docker", ["version"], { stdio: "ignore", timeout: 20_000, env }).status === 0;
}

function docker(env: Readonly<Record<string, string>>, stop: () => Promise<void>): Engine {
  const options: RunOptions = { env };
  const { stdout } = spawnSync("docker", ["version", "--format", "{{.Server.Version}}"], { env, encoding: "utf8" });
  const version = stdout.trim();
  return {
    name: "docker",
    ...(Number.parseInt(version, 10) < 25
      ? { withoutOci: `Docker Engine ${version} loads no OCI archives; 25 was the first that did` }
      : {}),
    run: async (...args) => await succeed(["docker", ...args], options),
    start: (...args) => start(["docker", ...args], options),
    runFlags: ["--rm", "--network=host"],
    stop,
  };
}

/** In mount and pid namespaces of its own, so that all of it ends with it. */
async function startDockerd(folder: string, env: Readonly<Record<string, string>>): Promise<(() => Promise<void>) | string> {
  mkdirSync(folder, { recursive: true });
  const at = (name: string) => join(folder, name);
  const flags = [
    "--host",
    env["DOCKER_HOST"] ?? "",
    "--data-root",
    at("data"),
    "--exec-root",
    at("exec"),
    "--pidfile",
    at("pid"),
  ];
  const engine = ["dockerd", ...flags, "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"];
  const namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const child = spawn("setpriv", ["--pdeathsig", "KILL", ...namespaces, ...engine], {
    stdio: ["ignore", "ignore", "pipe"],
    env,
    cwd: "/",
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
  const ended = once(child, "exit");
  for (let tries = 0; !answers(env); tries += 1) {
    if (child.exitCode !== null || tries === 60) {
      child.kill("SIGKILL");
      return `dockerd does not start here: ${said.trim().split("\n").at(-1) ?? ""}`;
    }
    await sleep(500);
  }
  return async () => {
    child.kill("SIGKILL");
    await ended;
  };
}
