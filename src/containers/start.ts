import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { isVarveError, VarveError } from "../errors/index.ts";
import { findRuntime, type Runtime } from "../runtime/index.ts";
import type { Reservation } from "../networks/index.ts";
import type { ContainerRow, ContainerRun } from "./container-store.ts";
import { endProcesses } from "./end-processes.ts";
import { containerPaths, type ContainerHandle, type ContainerPaths } from "./handle.ts";
import { launch, type Launched } from "./launch.ts";
import { placeMounts, type VolumeSeed } from "./make-mounts.ts";
import { handleOf } from "./observe.ts";
import { reserveNetworks } from "./reserve-networks.ts";
import type { ContainerRoom } from "./room.ts";
import { planPath, type RootPlan } from "./root-plan.ts";
import { joinNamespaces } from "./join-namespaces.ts";
import { startProber } from "./probe.ts";
import { startRotator } from "./rotate-log.ts";
import { findScopes, scopeName } from "./scope.ts";
import { inSeedOrder } from "./seed-order.ts";
import { readRuntimeFailure } from "./start-failure.ts";
import { findInit, findMonitor } from "./tools.ts";

export interface StartOptions {
  /** Done when the container is made and nothing of it has run. */
  readonly beforeStart?: (handle: ContainerHandle) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
  /** Of a start by policy. */
  readonly restart?: { readonly count: number; readonly delayMs: number };
}

/** Starts a container that does not run. Only with its lock. Whatever fails leaves nothing running, and is written down. */
export async function startLocked(room: ContainerRoom, row: ContainerRow, options: StartOptions): Promise<void> {
  await endProcesses(row.run);
  const generation = row.run.generation + 1;
  room.store.change(row.id, () => freshRun(row.run, generation, options));
  try {
    await launchAndStart(room, row, generation, options);
  } catch (error) {
    const failure = asStartFailure(error, row);
    await cleanUp(room, row.id);
    room.store.change(row.id, (run) => ({
      ...withoutProcesses(run),
      status: row.run.startedMs === undefined ? "created" : "exited",
      exitCode: stateCode(failure),
      error: failure.message,
    }));
    throw failure;
  }
}

/** Docker writes 128 down where the program is not to blame. */
function stateCode({ details }: VarveError): number {
  const code = details["exitCode"];
  return code === 126 || code === 127 ? code : 128;
}

function freshRun(last: ContainerRun, generation: number, { restart }: StartOptions): ContainerRun {
  const { health: _health, ...kept } = withoutProcesses(last);
  return {
    ...kept,
    generation,
    oomKilled: false,
    error: "",
    stoppedByHand: false,
    restartCount: restart?.count ?? 0,
    // who does it is this process: while it is there nobody takes the container for one that was given up
    ...(restart === undefined ? {} : { restartDelayMs: restart.delayMs, ...withKeeper(last) }),
  };
}

/** The keeper of the last run, for one that is to be started again by it. */
export function withKeeper({ keeper }: ContainerRun): Pick<ContainerRun, "keeper"> {
  return keeper === undefined ? {} : { keeper };
}

/** What is known of a container that no process belongs to any more. */
export function withoutProcesses(run: ContainerRun): ContainerRun {
  const {
    process: _process,
    monitor: _monitor,
    keeper: _keeper,
    prober: _prober,
    rotator: _rotator,
    cgroupsPath: _cgroup,
    ...kept
  } = run;
  return { ...kept, endpoints: {}, ports: [] };
}

async function cleanUp(room: ContainerRoom, id: string): Promise<void> {
  const now = room.store.get(id);
  if (now !== undefined) await endProcesses(now.run);
  await room.networks.detach(id);
}

async function launchAndStart(room: ContainerRoom, row: ContainerRow, generation: number, options: StartOptions): Promise<void> {
  const { id, name, config } = row;
  const { path, store } = room;
  const paths = containerPaths(room.root, id);
  const runtime = await findRuntime({ path, ...(room.runtime === undefined ? {} : { preferred: room.runtime }) });
  const monitorPath = await findMonitor({ path });
  clearLastRun(paths);
  const joined = joinNamespaces(room, config.host);
  const reservation = await reserveNetworks(room, row, { signal: options.signal });
  writeNetworkFiles(paths, reservation);
  const userNamespace = reservation.userNamespacePid !== undefined;
  const initPath = config.host.init ? await findInit({ path }) : undefined;
  const writePlan = (): readonly VolumeSeed[] => {
    const { mounts, seeds, images } = placeMounts(room, row.mounts, paths);
    const plan: RootPlan = {
      config,
      paths,
      lowers: room.snapshots.fsPaths(row.layers),
      runtime,
      userNamespace,
      seeds,
      images,
      place: {
        id,
        runtime: runtime.name,
        rootPath: paths.root,
        mounts,
        files: joined.files ?? { hosts: paths.hosts, resolvConf: paths.resolvConf, hostname: paths.hostname },
        namespaces: joined.namespaces,
        ...(joined.sharedShm === undefined ? {} : { sharedShm: joined.sharedShm }),
        ...(initPath === undefined ? {} : { initPath }),
      },
    };
    writeFileSync(planPath(paths), JSON.stringify(plan), { mode: 0o600 });
    return seeds;
  };
  const scopes = config.host.cgroupParent === undefined ? findScopes() : undefined;
  const runtimeArguments = globalArguments(runtime, paths, { cgroups: scopes !== undefined || !userNamespace });
  const launchOptions = {
    id,
    name,
    paths,
    runtime,
    runtimeArguments,
    monitorPath,
    userNamespacePid: reservation.userNamespacePid,
    scope: scopes && { words: scopes.command(scopeName(id, generation)), env: scopes.env },
    tty: config.tty,
    openStdin: config.openStdin,
    stdinOnce: config.stdinOnce,
    log: config.host.log,
    whenOver: [...room.helperCommand, "exited", id, String(generation)],
    path,
  };
  const launchFilled = async (): Promise<Launched> => {
    const seeds = writePlan();
    const launched = await launch(launchOptions);
    for (const { volume } of seeds) room.volumes.markSeeded(volume);
    return launched;
  };
  const launched = await inSeedOrder(room, row.mounts, launchFilled, { signal: options.signal });
  const made = store.change(id, (run) => ({
    ...run,
    ...launched,
    runtimePath: runtime.path,
    runtimeArguments,
    monitorPath,
    userNamespace,
    endpoints: Object.fromEntries(reservation.endpoints.map((endpoint) => [endpoint.network, endpoint])),
    ports: reservation.ports,
  }));
  const handle = made && handleOf(made, room.root);
  if (handle === undefined) throw new VarveError("CONTAINER_START", "the container ended before it was started");
  await room.networks.attach(id, `/proc/${handle.pid}/ns/net`, options.signal === undefined ? {} : { signal: options.signal });
  await options.beforeStart?.(handle);
  store.change(id, (run) => ({ ...run, status: "running", startedMs: Date.now(), exitCode: 0 }));
  await runStart(handle);
  room.events.tell(row, "start");
  startProber(room, id);
  startRotator(room, id);
}

/** What the last run left in the folder. */
function clearLastRun(paths: ContainerPaths): void {
  const { exitFolder, runtimeState, attachSocket, control, pidFile, monitorPidFile, folder } = paths;
  for (const path of [
    exitFolder,
    runtimeState,
    attachSocket,
    control,
    pidFile,
    monitorPidFile,
    `${folder}/winsz`,
    `${folder}/oom`,
  ])
    rmSync(path, { recursive: true, force: true });
  for (const path of [folder, exitFolder]) mkdirSync(path, { recursive: true, mode: 0o711 });
}

function writeNetworkFiles(paths: ContainerPaths, { hosts, resolvConf, hostnameFile }: Reservation): void {
  writeFileSync(paths.hosts, hosts, { mode: 0o644 });
  writeFileSync(paths.resolvConf, resolvConf, { mode: 0o644 });
  writeFileSync(paths.hostname, hostnameFile, { mode: 0o644 });
}

function globalArguments(
  { name }: Runtime,
  paths: ContainerPaths,
  { cgroups }: { readonly cgroups: boolean },
): readonly string[] {
  const root = ["--root", paths.runtimeState];
  return name === "crun" ? [...root, `--cgroup-manager=${cgroups ? "cgroupfs" : "disabled"}`] : root;
}

async function runStart({ enter, runtime, id }: ContainerHandle): Promise<void> {
  const [program, ...args] = [...enter, ...runtime, "start", id];
  try {
    await promisify(execFile)(program, args);
  } catch (error) {
    const { stderr = "", message } = error as Error & { stderr?: string };
    throw new VarveError("CONTAINER_RUNTIME", stderr.trim() || message, { cause: error });
  }
}

/** In Docker's words, with its exit code. */
function asStartFailure(error: unknown, { config }: ContainerRow): VarveError {
  if (!isVarveError(error)) return new VarveError("CONTAINER_START", (error as Error).message, { cause: error });
  if (error.code !== "CONTAINER_RUNTIME") return error;
  const program = [...config.entrypoint, ...config.command][0] ?? "";
  const { message, exitCode } = readRuntimeFailure(error.message, program);
  return new VarveError(
    "CONTAINER_START",
    `failed to create task for container: failed to create shim task: OCI runtime create failed: ${message}`,
    { cause: error, details: { exitCode } },
  );
}
