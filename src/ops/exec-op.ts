import { hash } from "node:crypto";
import { join } from "node:path";
import { folderName } from "../cache-mounts/index.ts";
import { isVarveError, VarveError } from "../errors/index.ts";
import type { ExecOp, Mount, Vertex } from "../llb/index.ts";
import { isStack, type ActiveSnapshot, type Ref } from "../snapshots/index.ts";
import type { Dependency, SolverOp } from "../solver/index.ts";
import { wholePath } from "../tree/index.ts";
import { digestOfAll } from "./content.ts";
import type { OpsOptions } from "./create-ops.ts";
import { explainExit, type FailedCommand } from "./explain-exit.ts";
import { checkEntitlements } from "./entitlements.ts";
import { findCredentials } from "./exec-credentials.ts";
import { placeOf } from "./place.ts";
import { materialize } from "./materialize.ts";
import { discardSnapshot } from "./stacks.ts";
import { execTask, type ExecMount } from "./tasks.ts";

/**
 * An exec op: a command in a root. Its key is the command with its environment (L51: without proxies and host addresses)
 * and, for each mount, the input as a whole, or its content where the command can only read it (L52). Of secrets and agents
 * the key has the ids, so that another value of a secret keeps the result, as in BuildKit.
 */
export function createExecOp(vertex: Vertex, exec: ExecOp, options: OpsOptions): SolverOp<Ref> {
  refuse(vertex, exec, options);
  return {
    async cacheMap() {
      const { proxyEnv: _proxyEnv, extraHosts, ...meta } = exec.meta;
      const mounts = exec.mounts.map(({ selector: _selector, resultId: _resultId, ...mount }) => ({
        ...mount,
        ...keyOfCache(mount),
      }));
      const secretEnv = exec.secretEnv.length === 0 ? {} : { secretEnv: exec.secretEnv };
      const key = {
        meta,
        hosts: extraHosts.map(({ host }) => host),
        mounts,
        network: exec.network,
        security: exec.security,
        platform: vertex.op.platform,
        ...secretEnv,
      };
      return {
        digest: hash("sha256", JSON.stringify(["exec", key])),
        dependencies: vertex.op.inputs.map((_, index) => dependencyOn(index, exec.mounts, options, vertex)),
      };
    },
    exec: (inputs, { signal }) => atPlace(vertex, options, () => run(vertex, exec, inputs, options, signal)),
  };
}

/** A cache of its own name or sharing may be another one: the step's result stays what it is (as BuildKit decides it). */
function keyOfCache({ cache, dest }: Pick<Mount, "cache" | "dest">): Pick<Mount, "cache"> {
  if (cache === undefined) return {};
  const isDefault = cache.sharing === "shared" && (cache.id === dest || cache.id.slice(cache.id.indexOf("/") + 1) === dest);
  return isDefault ? { cache } : { cache: { id: "", sharing: "shared" } };
}

/** What no step gets, and what the build does not allow. */
function refuse(vertex: Vertex, exec: ExecOp, { allowed, sources }: OpsOptions): void {
  try {
    checkEntitlements(exec, allowed);
    if (exec.cdiDevices.length > 0) throw new VarveError("OP_UNSUPPORTED", "devices are not supported yet");
  } catch (error) {
    throw isVarveError(error) ? error.at(placeOf(vertex, sources)) : error;
  }
}

async function atPlace<T>(vertex: Vertex, { sources }: OpsOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isVarveError(error) ? error.at(placeOf(vertex, sources)) : error;
  }
}

/** By content where no mount of the input can hand a change on; by key otherwise. */
function dependencyOn(input: number, mounts: readonly Mount[], options: OpsOptions, vertex: Vertex): Dependency<Ref> {
  const users = mounts.filter((mount) => mount.input === input);
  const selector = JSON.stringify(users.map((mount) => mount.selector));
  const readOnly = users.every(
    (mount) => mount.contentCache !== "off" && mount.dest !== "/" && (mount.readonly || mount.output === -1),
  );
  if (!readOnly || users.length === 0) return { selector };
  return {
    selector,
    content: async (ref, signal) => {
      const readings = users.map(({ selector: path }) => ({ selector: wholePath(path) }));
      return await digestOfAll(ref, readings, options, vertex, signal);
    },
  };
}

async function run(
  vertex: Vertex,
  exec: ExecOp,
  inputs: readonly Ref[],
  options: OpsOptions,
  signal: AbortSignal,
): Promise<(Ref | undefined)[]> {
  const { worker } = options;
  const credentials = await findCredentials(exec, options);
  const throwAway: ActiveSnapshot[] = [];
  let lastOutput: Buffer = Buffer.alloc(0);
  const outputs: { readonly active: ActiveSnapshot; readonly base: readonly number[]; readonly index: number }[] = [];
  try {
    const mounts: ExecMount[] = [];
    for (const mount of exec.mounts) {
      if (mount.type === "secret" || mount.type === "ssh") continue;
      const ref = mount.input === -1 ? undefined : inputs[mount.input];
      const stack = ref && (isStack(ref) ? ref : await materialize(ref, mount.selector || "/", vertex, options, signal));
      const base = stack?.layers ?? [];
      if (mount.cache !== undefined) await options.fillMount?.(mount.cache.id);
      mounts.push(
        placeMount(mount, base, options, (active) => {
          if (mount.output >= 0) outputs.push({ active, base, index: mount.output });
          else throwAway.push(active);
        }),
      );
    }
    const { meta, network, security } = exec;
    const architecture = vertex.op.platform?.architecture ?? "";
    const params = {
      meta,
      architecture,
      network,
      security,
      mounts: [...mounts, ...credentials.mounts],
      secretEnv: credentials.env,
    };
    const { exitCode, signal: killedBy } = await worker.call(execTask, params, {
      signal,
      onEvent({ stream, data }) {
        if (stream === 2) lastOutput = Buffer.concat([lastOutput, data]).subarray(-maxLastOutputBytes);
        options.onLog(vertex.digest, stream, data);
      },
    });
    if (exitCode !== 0 && !meta.validExitCodes.includes(exitCode))
      throw failure(vertex, exec, { exitCode, killedBy, lastOutput: lastOutput.toString() }, options);
    const results: (Ref | undefined)[] = [];
    for (const { active, base, index } of outputs) results[index] = { kind: "stack", layers: [...base, active.commit().id] };
    return results;
  } catch (error) {
    for (const { active } of outputs) throwAway.push(active);
    throw error;
  } finally {
    for (const active of throwAway) await discardSnapshot(active, worker);
  }
}

/** Decides where a mount's content is and where its changes go. `claim` is told of every snapshot made for it. */
function placeMount(
  mount: Mount,
  base: readonly number[],
  { snapshots, cacheMounts }: OpsOptions,
  claim: (active: ActiveSnapshot) => void,
): ExecMount {
  const common = { dest: mount.dest, selector: mount.selector, readonly: mount.readonly };
  const lowers = snapshots.fsPaths(base);
  if (mount.type === "tmpfs") return { ...common, source: { kind: "tmpfs", sizeBytes: mount.tmpfs?.size ?? 0 } };
  if (mount.type === "cache") {
    const { id, sharing } = mount.cache ?? { id: mount.dest, sharing: "shared" as const };
    return { ...common, source: { kind: "cache", id, lowers, folder: join(cacheMounts, folderName(id, base)), sharing } };
  }
  if (mount.readonly) return { ...common, source: { kind: "stack", lowers } };
  const active = snapshots.create(base);
  claim(active);
  return { ...common, source: { kind: "stack", lowers, snapshot: active.path } };
}

/** How much of what a command printed at the end is looked at to explain its failure. */
const maxLastOutputBytes = 4096;

function failure(
  vertex: Vertex,
  { meta }: ExecOp,
  { exitCode, killedBy, lastOutput }: Pick<FailedCommand, "exitCode" | "killedBy" | "lastOutput">,
  { sources }: OpsOptions,
): VarveError {
  const { platform } = vertex.op;
  const hint = explainExit({
    exitCode,
    killedBy,
    lastOutput,
    platform: platform && [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/"),
  });
  const reason = killedBy === undefined ? `exit code: ${exitCode}` : `killed by ${killedBy} (exit code: ${exitCode})`;
  return new VarveError("RUN_FAILED", `process "${meta.args.join(" ")}" did not complete successfully: ${reason}`, {
    details: { exitCode, vertex: vertex.digest },
    ...(hint === undefined ? {} : { hint }),
  }).at(placeOf(vertex, sources));
}
