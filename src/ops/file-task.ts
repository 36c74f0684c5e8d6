import { VarveError } from "../errors/index.ts";
import type { FileAction } from "../llb/index.ts";
import { mountStack } from "../snapshots/index.ts";
import {
  copyChanges,
  copyInto,
  makeDirectory,
  makeFile,
  makeSymlink,
  openDirectoryTree,
  removePath,
  resolveOwner,
  type OwnerIds,
  type Tree,
} from "../tree/index.ts";
import type { TaskContext } from "../worker/index.ts";
import { ownerOf } from "./owner-of.ts";
import { unpackFile } from "./unpack-file.ts";
import type { FileParams, WireRef } from "./tasks.ts";

/** Does the actions of a file op, one after the other, in one new snapshot. */
export async function runFileTask(
  { inputs, actions, snapshot, change }: FileParams,
  context: TaskContext<never>,
): Promise<{ done: boolean }> {
  using stack = new DisposableStack();
  const { scratch, userNamespace, callersPath } = context;
  const mountOf = (ref: WireRef | undefined) =>
    ref?.kind === "folder"
      ? callersPath(ref.path)
      : stack.use(mountStack({ lowers: ref?.lowers ?? [], scratch, userXattr: userNamespace })).path;
  const base = inputs[actions[0]?.input ?? -1];
  if (base?.kind === "folder") throw new TypeError("files are written into stacks only");
  const lowers = [...(base?.lowers ?? []), ...(change?.under ?? [])];
  const target = stack.use(mountStack({ lowers, snapshot, scratch, userXattr: userNamespace })).path;
  const roots = new Map<number, string>();
  const rootOf = (input: number): string => {
    const ref = inputs[input];
    if (input >= inputs.length) return target; // what an earlier action of this op made
    const known = roots.get(input) ?? mountOf(ref);
    roots.set(input, known);
    return known;
  };
  const treeOf = (input: number): Tree => {
    const ref = inputs[input];
    const path = rootOf(input);
    const tree =
      ref?.kind === "folder"
        ? openDirectoryTree(path, { exclude: ref.exclude, ...(ref.only.length > 0 ? { only: ref.only } : {}), resetOwner: true })
        : openDirectoryTree(path, { resetOwner: false });
    stack.defer(() => tree.close());
    return tree;
  };
  for (const action of actions) {
    const owner = resolveOwner(ownerOf(action), { rootOf: (input) => (input < 0 ? noAccounts() : rootOf(input)) });
    if (change !== undefined && action.kind === "copy") {
      const canRemove = (path: string): boolean => isAbsent(base?.lowers ?? [], path);
      const tree = treeOf(action.secondaryInput);
      return { done: await copyChanges(target, tree, action.copy, { owner, signal: context.signal, change, canRemove }) };
    }
    await act(target, action, owner, treeOf, context);
  }
  return { done: true };
}

/** Whether no layer of the base has anything at a path: only then is removing it the same as never having copied it. */
function isAbsent(lowers: readonly string[], path: string): boolean {
  if (lowers.length === 0) return false; // a copy that others are put below later: a mark of removal would hide theirs
  return lowers.every((lower) => {
    const root = openDirectoryTree(lower, { resetOwner: false });
    try {
      return root.entry(path) === undefined;
    } finally {
      root.close();
    }
  });
}

/** BuildKit refuses it too ("invalid user index"): with `--link`, and in an empty stage, no passwd file can be asked. */
function noAccounts(): never {
  throw new VarveError("TREE_USER", "the owner cannot be given by name: the copy goes into an empty root, which knows no user", {
    hint: "give numbers, as in --chown=1000:1000",
  });
}

async function act(
  target: string,
  action: FileAction,
  owner: OwnerIds | undefined,
  treeOf: (input: number) => Tree,
  context: TaskContext<never>,
): Promise<void> {
  const { signal } = context;
  signal.throwIfAborted();
  switch (action.kind) {
    case "copy":
      await copyInto(target, treeOf(action.secondaryInput), action.copy, {
        owner,
        signal,
        unpack: (request) => unpackFile(request, context),
      });
      return;
    case "mkfile":
      return makeFile(target, action.mkfile, { owner });
    case "mkdir":
      return makeDirectory(target, action.mkdir, { owner });
    case "symlink":
      return makeSymlink(target, action.symlink, { owner });
    case "rm":
      return removePath(target, action.rm);
  }
}
