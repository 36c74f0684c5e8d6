import { hash } from "node:crypto";
import { basename } from "node:path";
import { isVarveError, VarveError } from "../errors/index.ts";
import type { FileAction, FileOp, Vertex } from "../llb/index.ts";
import { isStack, type Ref } from "../snapshots/index.ts";
import type { Dependency, SolverOp } from "../solver/index.ts";
import { selectorOf, wholePath } from "../tree/index.ts";
import { digestOfAll } from "./content.ts";
import type { OpsOptions } from "./create-ops.ts";
import { findEarlierCopy } from "./earlier-copy.ts";
import { ownerOf } from "./owner-of.ts";
import { placeOf } from "./place.ts";
import { toWireRef, writeSnapshot } from "./stacks.ts";
import { fileTask, type FileParams, type Reading } from "./tasks.ts";
import { contextChanged } from "./unchanged-context.ts";

/**
 * A file op: copies, folders, files, links and removals that together make one snapshot. Its key is made of the actions
 * and of the content that they read (L53); of a copied path only the last name counts, as the rest shows in no result.
 */
export function createFileOp(vertex: Vertex, { actions }: FileOp, options: OpsOptions): SolverOp<Ref> {
  const inputCount = vertex.op.inputs.length;
  const { base } = readChain(actions, inputCount);
  const reads = vertex.op.inputs.map((_, index) => readingsOf(actions, index));
  /** What the key says of folders that others may write to meanwhile. */
  const seen = new Map<number, { readonly digest: string; readonly sinceMs: number }>();
  async function requireUnchanged(
    ref: Ref | undefined,
    readings: readonly Reading[],
    before: { digest: string; sinceMs: number },
    signal: AbortSignal,
  ): Promise<void> {
    if (ref === undefined || isStack(ref)) return;
    if ((await digestOfAll(ref, readings, options, vertex, signal)) === before.digest) return;
    throw contextChanged(
      options.folders.tree(ref),
      readings.map(({ selector }) => selector),
      before.sinceMs,
    );
  }
  return {
    async cacheMap() {
      const dependencies = reads.map((readings, index): Dependency<Ref> => {
        const selector = JSON.stringify(readings);
        if (index === base || readings.length === 0) return { selector };
        const content = async (ref: Ref, signal: AbortSignal): Promise<string> => {
          const sinceMs = Date.now();
          const digest = await digestOfAll(ref, readings, options, vertex, signal);
          if (!isStack(ref)) seen.set(index, { digest, sinceMs });
          return digest;
        };
        return { selector, content };
      });
      return { digest: hash("sha256", JSON.stringify(["file", actions.map(keyOfAction)])), dependencies };
    },
    async exec(inputs, { signal }) {
      const lower = base === -1 ? undefined : inputs[base];
      if (lower && !isStack(lower)) throw new TypeError("files are written into stacks only");
      const wire = inputs.map((ref) => toWireRef(ref, options.snapshots));
      const write = async (snapshot: string, change?: FileParams["change"]): Promise<void> => {
        try {
          const params = { inputs: wire, actions, snapshot, ...(change && { change }) };
          const { done } = await options.worker.call(fileTask, params, { signal });
          if (!done) throw new ChangeImpossible();
          for (const [index, before] of seen) await requireUnchanged(inputs[index], reads[index] ?? [], before, signal);
        } catch (error) {
          throw isVarveError(error) ? error.at(placeOf(vertex, options.sources)) : error;
        }
      };
      const bottom = lower?.layers ?? [];
      const earlier = findEarlierCopy(actions, inputs, lower?.layers.length ? lower : undefined, options);
      if (earlier?.start !== undefined) {
        const { under, change } = earlier.start;
        const parts = { ...change, under: options.snapshots.fsPaths([under]) };
        try {
          return [await writeSnapshot(bottom, options, (snapshot) => write(snapshot, parts), { under })];
        } catch (error) {
          if (!(error instanceof ChangeImpossible)) throw error;
        }
      }
      const stack = await writeSnapshot(bottom, options, async (snapshot) => {
        await write(snapshot);
        earlier?.note(snapshot);
      });
      earlier?.offer(stack);
      return [stack];
    },
  };
}

/** A copy cannot be made out of an earlier one: all is copied then. */
class ChangeImpossible extends Error {}

/** Actions must form one chain: the first works on an op input or on nothing, each later one on the one before. */
function readChain(actions: readonly FileAction[], inputCount: number): { readonly base: number } {
  actions.forEach((action, index) => {
    const chained = index === 0 ? action.input < inputCount : action.input === inputCount + index - 1;
    const output = index === actions.length - 1 ? 0 : -1;
    if (!chained || action.output !== output || action.secondaryInput >= inputCount) {
      throw new VarveError("OP_UNSUPPORTED", "a file operation whose actions form no single chain is not supported");
    }
  });
  return { base: actions[0]?.input ?? -1 };
}

/** What the actions read of one input. */
function readingsOf(actions: readonly FileAction[], input: number): Reading[] {
  const readings: Reading[] = [];
  for (const action of actions) {
    const owner = ownerOf(action);
    if (owner?.user?.kind === "name" && owner.user.input === input)
      readings.push({ selector: wholePath("/etc/passwd"), optional: true });
    if (owner?.group?.kind === "name" && owner.group.input === input)
      readings.push({ selector: wholePath("/etc/group"), optional: true });
    if (action.kind === "copy" && action.secondaryInput === input) readings.push({ selector: selectorOf(action.copy) });
  }
  return readings;
}

function keyOfAction(action: FileAction): unknown {
  if (action.kind === "mkfile") return { ...action, mkfile: { ...action.mkfile, data: hash("sha256", action.mkfile.data) } };
  if (action.kind !== "copy") return action;
  return { ...action, copy: { ...action.copy, src: basename(action.copy.src) } };
}
