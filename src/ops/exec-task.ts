import { closeSync, constants, mkdirSync, openSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findRuntime, prepareCgroups, readHostFacts, runProcess, sweepCgroups, type ContainerMount, type HostFacts, type Runtime } from "../runtime/index.ts";
import { mountStack } from "../snapshots/index.ts";
import { bindFd, fdPath, flock, openFlags, openInRoot, openPath, unmount } from "../sys/index.ts";
import { lookupUser } from "../tree/index.ts";
import type { TaskContext } from "../worker/index.ts";
import { proxyVariables } from "./proxy-env.ts";
import type { ExecMount, ExecOutput, ExecParams } from "./tasks.ts";

/** Where the parts of a step are, once they are mounted. */
interface Placed {
  readonly root: string;
  readonly mounts: readonly ContainerMount[];
}

/** Runs a command: mounts its root and its other mounts, hands them to the OCI runtime, and takes everything down again. */
export async function runExecTask(params: ExecParams, context: TaskContext<ExecOutput>): Promise<{ exitCode: number }> {
  await using stack = new AsyncDisposableStack();
  const { root, mounts } = await place(params.mounts, context, stack);
  const { meta } = params;
  const { exitCode } = await runProcess(
    {
      ...(await machineOf(context)),
      rootPath: root,
      stateDir: context.scratch,
      process: {
        args: meta.args,
        env: [...meta.env, ...proxyVariables(meta.proxyEnv)],
        cwd: meta.cwd || "/",
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

async function place(mounts: readonly ExecMount[], context: TaskContext<ExecOutput>, stack: AsyncDisposableStack): Promise<Placed> {
  let root: string | undefined;
  const placed: ContainerMount[] = [];
  for (const mount of mounts) {
    if (mount.source.kind === "tmpfs") {
      const { sizeBytes } = mount.source;
      placed.push({ type: "tmpfs", destination: mount.dest, readonly: mount.readonly, ...(sizeBytes > 0 ? { sizeBytes } : {}) });
      continue;
    }
    const { lowers } = mount.source;
    const snapshot = mount.source.kind === "cache" ? await lockCache(mount.source, context.signal, stack) : mount.source.snapshot;
    const mounted = stack.use(mountStack({ lowers, scratch: context.scratch, userXattr: context.userNamespace, ...(snapshot === undefined ? {} : { snapshot }) }));
    if (mount.dest === "/") root = mounted.path;
    else placed.push({ type: "bind", source: select(mounted.path, mount, context, stack), destination: mount.dest, readonly: mount.readonly });
  }
  if (root === undefined) throw new TypeError("the command has no root");
  return { root, mounts: placed };
}

let selections = 0;

/**
 * The selected path of a mount, resolved inside it once and bound to a place of our own: links in it, or made in it
 * later, cannot lead the runtime elsewhere (CVE-2024-1753, CVE-2024-23651).
 */
function select(root: string, { selector }: ExecMount, { scratch }: TaskContext<ExecOutput>, stack: AsyncDisposableStack): string {
  if (selector === "" || selector === "/") return root;
  const rootFd = openPath(root);
  try {
    const fd = openInRoot(rootFd, selector, { flags: openFlags.path });
    try {
      const target = join(scratch, `selected-${(selections += 1)}`);
      if (statSync(fdPath(fd)).isDirectory()) mkdirSync(target);
      else writeFileSync(target, "");
      bindFd(fd, target, {});
      stack.defer(() => unmount(target, { detach: true }));
      return target;
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(rootFd);
  }
}

/** How long between two tries for a lock that another process holds, in milliseconds. */
const lockPollMs = 50;

/**
 * A cache mount's folder, locked as its sharing says (R02): `shared` goes with others, `locked` waits for them, `private`
 * takes the first folder that nobody uses. Locks end with the process at the latest.
 */
async function lockCache(source: Extract<ExecMount["source"], { kind: "cache" }>, signal: AbortSignal, stack: AsyncDisposableStack): Promise<string> {
  for (let lane = 0; ; lane += 1) {
    const folder = source.sharing === "private" && lane > 0 ? `${source.folder}-${lane}` : source.folder;
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    const fd = openSync(join(folder, "lock"), constants.O_RDWR | constants.O_CREAT, 0o600);
    let locked = flock(fd, source.sharing === "shared" ? "shared" : "exclusive", { block: false });
    while (!locked && source.sharing !== "private" && !signal.aborted) {
      await sleep(lockPollMs);
      locked = flock(fd, source.sharing === "shared" ? "shared" : "exclusive", { block: false });
    }
    if (locked) {
      stack.defer(() => closeSync(fd));
      return folder;
    }
    closeSync(fd);
    signal.throwIfAborted();
  }
}
