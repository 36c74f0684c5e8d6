import {
  createEmulations,
  findRuntime,
  prepareCgroups,
  readHostFacts,
  runProcess,
  sweepCgroups,
  type HostFacts,
  type Runtime,
} from "../runtime/index.ts";
import { lookupUser } from "../tree/index.ts";
import type { TaskContext } from "../worker/index.ts";
import { placeMounts } from "./place-mounts.ts";
import { proxyVariables } from "./proxy-env.ts";
import type { ExecOutput, ExecParams } from "./tasks.ts";

/** Runs a command: mounts its root and its other mounts, hands them to the OCI runtime, and takes everything down again. */
export async function runExecTask(params: ExecParams, context: TaskContext<ExecOutput>): Promise<{ exitCode: number }> {
  await using stack = new AsyncDisposableStack();
  const { meta, secretEnv } = params;
  const cwd = meta.cwd || "/";
  const emulation = await emulationOf(params, context);
  const { root, mounts } = await placeMounts(params.mounts, { cwd, context, stack });
  const { exitCode } = await runProcess(
    {
      ...(await machineOf(context)),
      emulation,
      rootPath: root,
      stateDir: context.scratch,
      process: {
        args: meta.args,
        env: [...meta.env, ...proxyVariables(meta.proxyEnv), ...secretEnv],
        cwd,
        user: lookupUser(root, meta.user),
        hostname: meta.hostname,
        network: params.network === "none" ? "none" : "host",
        security: params.security,
        ulimits: meta.ulimit,
        extraHosts: meta.extraHosts,
        readonlyRoot: false,
        mounts,
        ...(meta.cgroupParent === "" ? {} : { cgroupParent: meta.cgroupParent }),
      },
    },
    { signal: context.signal, onOutput: (stream, data) => context.emit({ stream, data }) },
  );
  return { exitCode };
}

const emulations = createEmulations();

/** Before anything is mounted: a step that this machine cannot run needs nothing. */
function emulationOf(
  { architecture }: ExecParams,
  { path, scratch }: TaskContext<ExecOutput>,
): ReturnType<typeof emulations> | undefined {
  return architecture === "" ? undefined : emulations(architecture, { path, folder: scratch });
}

let machine: Promise<{ readonly runtime: Runtime; readonly facts: HostFacts }> | undefined;

/** Runtime and facts, found once for the worker's life, with cgroups made ready. */
function machineOf({ path, runtime: preferred }: TaskContext<ExecOutput>): NonNullable<typeof machine> {
  machine ??= findRuntime({ path, ...(preferred === undefined ? {} : { preferred }) }).then((runtime) => {
    sweepCgroups();
    prepareCgroups();
    return { runtime, facts: readHostFacts() };
  });
  return machine;
}
