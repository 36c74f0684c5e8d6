import type { FileAction, FileCopy, FileMkDir, FileMkFile, Owner, UserRef } from "../llb/index.ts";
import { createInputList, noConstraints, type Node, type Output } from "./node.ts";

/** Who shall own what an action makes; names are looked up in the file system that the action changes. */
export interface OwnerDraft {
  readonly user: string;
  readonly group: string | undefined;
}

/** An action of a file op before its inputs are numbered. */
export type ActionDraft =
  | {
      readonly kind: "copy";
      readonly source: Output | undefined;
      readonly copy: Omit<FileCopy, "owner">;
      readonly owner: OwnerDraft | undefined;
    }
  | { readonly kind: "mkfile"; readonly mkfile: Omit<FileMkFile, "owner"> }
  | {
      readonly kind: "mkdir";
      readonly mkdir: Omit<FileMkDir, "owner">;
      readonly owner: OwnerDraft | undefined;
    };

/** `USER[:GROUP]` as `--chown` and USER take it. */
export function parseOwner(text: string): OwnerDraft {
  const colon = text.indexOf(":");
  return colon < 0 ? { user: text, group: undefined } : { user: text.slice(0, colon), group: text.slice(colon + 1) };
}

/** Applies the actions in order to `base` (an empty root when undefined). */
export function fileNode(
  base: Output | undefined,
  actions: readonly ActionDraft[],
  facts: Pick<Node, "metadata" | "lines">,
): Output {
  const outputs = [base, ...actions.map((action) => (action.kind === "copy" ? action.source : undefined))];
  const node: Node = {
    ...facts,
    inputs: outputs.filter((output) => output !== undefined),
    compose(toInput) {
      const list = createInputList(toInput);
      const baseIndex = list.add(base);
      const sources = actions.map((action) => (action.kind === "copy" ? list.add(action.source) : -1));
      const composed = actions.map((action, place): FileAction => {
        const common = {
          input: place === 0 ? baseIndex : list.inputs.length + place - 1,
          secondaryInput: sources[place] ?? -1,
          output: place === actions.length - 1 ? 0 : -1,
        };
        if (action.kind === "mkfile") return { ...common, kind: "mkfile", mkfile: action.mkfile };
        const owner = action.owner === undefined ? {} : { owner: toOwner(action.owner, baseIndex) };
        if (action.kind === "mkdir") return { ...common, kind: "mkdir", mkdir: { ...action.mkdir, ...owner } };
        return { ...common, kind: "copy", copy: { ...action.copy, ...owner } };
      });
      return {
        inputs: list.inputs,
        constraints: noConstraints,
        kind: "file",
        file: { actions: composed },
      };
    },
  };
  return { node, index: 0 };
}

function toOwner({ user, group }: OwnerDraft, input: number): Owner {
  return {
    user: toUser(user, input),
    ...(group === undefined ? {} : { group: toUser(group, input) }),
  };
}

/** Numbers of 32 bits are ids, as in BuildKit's client; an empty name there means id 0. */
function toUser(text: string, input: number): UserRef {
  if (text === "root" || text === "") return { kind: "id", id: 0 };
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= -(2 ** 31) && number < 2 ** 31) return { kind: "id", id: number >>> 0 };
  return { kind: "name", name: text, input };
}

/** Puts layers on each other, the lowest first. Empty ones do not count; none at all is the empty root. */
export function mergeNode(layers: readonly (Output | undefined)[], facts: Pick<Node, "metadata" | "lines">): Output | undefined {
  const inputs = layers.filter((layer) => layer !== undefined);
  if (inputs.length < 2) return inputs[0];
  const node: Node = {
    ...facts,
    inputs,
    compose: (toInput) => ({
      inputs: inputs.map(toInput),
      constraints: noConstraints,
      kind: "merge",
      merge: { inputs: inputs.map((_, index) => index) },
    }),
  };
  return { node, index: 0 };
}
