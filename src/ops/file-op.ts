import { hash } from "node:crypto";
import { basename } from "node:path";
import { VarveError } from "../errors/index.ts";
import type { FileAction, FileOp, Owner, Vertex } from "../llb/index.ts";
import { isStack, type Ref } from "../snapshots/index.ts";
import type { Dependency, SolverOp } from "../solver/index.ts";
import type { Selector } from "../tree/index.ts";
import { digestOf } from "./content.ts";
import type { OpsOptions } from "./create-ops.ts";
import { toWireRef, writeSnapshot } from "./stacks.ts";
import { fileTask } from "./tasks.ts";

/**
 * A file op: copies, folders, files, links and removals that together make one snapshot. Its key is made of the actions
 * and of the content that they read (L53); of a copied path only the last name counts, as the rest shows in no result.
 */
export function createFileOp(vertex: Vertex, { actions }: FileOp, options: OpsOptions): SolverOp<Ref> {
  const inputCount = vertex.op.inputs.length;
  const { base } = readChain(actions, inputCount);
  const reads = vertex.op.inputs.map((_, index) => selectorsOf(actions, index));
  return {
    async cacheMap() {
      const dependencies = reads.map((selectors, index): Dependency<Ref> => {
        const selector = JSON.stringify(selectors);
        if (index === base || selectors.length === 0) return { selector };
        return { selector, content: (ref, signal) => digestAll(ref, selectors, options, vertex, signal) };
      });
      return { digest: hash("sha256", JSON.stringify(["file", actions.map(keyOfAction)])), dependencies };
    },
    async exec(inputs, { signal }) {
      const lower = base === -1 ? undefined : inputs[base];
      if (lower && !isStack(lower)) throw new TypeError("files are written into stacks only");
      const wire = inputs.map((ref) => toWireRef(ref, options.snapshots));
      const stack = await writeSnapshot(lower?.layers ?? [], options, (snapshot) =>
        options.worker.call(fileTask, { inputs: wire, actions, snapshot }, { signal }),
      );
      return [stack];
    },
  };
}

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
function selectorsOf(actions: readonly FileAction[], input: number): Selector[] {
  const selectors: Selector[] = [];
  for (const action of actions) {
    const owner = ownerOf(action);
    if (owner?.user?.kind === "name" && owner.user.input === input) selectors.push({ path: "/etc/passwd", optional: true });
    if (owner?.group?.kind === "name" && owner.group.input === input) selectors.push({ path: "/etc/group", optional: true });
    if (action.kind !== "copy" || action.secondaryInput !== input) continue;
    const { copy } = action;
    selectors.push({
      path: copy.src,
      wildcard: copy.allowWildcard,
      followLinks: copy.followSymlink,
      dirContentsOnly: copy.dirCopyContents,
      includePatterns: copy.includePatterns,
      excludePatterns: copy.excludePatterns,
      requiredPaths: copy.requiredPaths,
      allowEmpty: copy.allowEmptyWildcard,
    });
  }
  return selectors;
}

function ownerOf(action: FileAction): Owner | undefined {
  switch (action.kind) {
    case "copy":
      return action.copy.owner;
    case "mkfile":
      return action.mkfile.owner;
    case "mkdir":
      return action.mkdir.owner;
    case "symlink":
      return action.symlink.owner;
    case "rm":
      return undefined;
  }
}

function keyOfAction(action: FileAction): unknown {
  if (action.kind === "mkfile") return { ...action, mkfile: { ...action.mkfile, data: hash("sha256", action.mkfile.data) } };
  if (action.kind !== "copy") return action;
  return { ...action, copy: { ...action.copy, src: basename(action.copy.src) } };
}

async function digestAll(ref: Ref, selectors: readonly Selector[], options: OpsOptions, vertex: Vertex, signal: AbortSignal): Promise<string> {
  const digests: string[] = [];
  for (const selector of selectors) digests.push(await digestOf(ref, selector, options, vertex, signal));
  return hash("sha256", JSON.stringify(digests));
}
