import {
  createGraphBuilder,
  type Definition,
  type Input,
  type Op,
  type OpMetadata,
  type OpPlatform,
  type SourceInfo,
} from "../llb/index.ts";
import type { Platform } from "../oci/index.ts";

/**
 * A vertex before its bytes are known. Ops are composed last, from the result backwards: so only what the result needs is
 * in the graph, and the build context can know all paths that were asked of it.
 */
export interface Node {
  readonly inputs: readonly Output[];
  compose(toInput: (output: Output) => Input): Op;
  readonly metadata: Partial<OpMetadata>;
  /** Lines of the Dockerfile, from 1. */
  readonly lines: readonly number[];
}

/** One output of a node. */
export interface Output {
  readonly node: Node;
  readonly index: number;
}

/** The constraints that BuildKit's client writes into every op. */
export const noConstraints = { filter: [] };

/** The metadata that names a step. */
export function named(
  name: string,
  caps: readonly string[],
  more: { readonly ignoreCache?: boolean; readonly command?: string } = {},
): Partial<OpMetadata> {
  const command = more.command === undefined ? {} : { "com.docker.dockerfile.v1.command": more.command };
  return {
    ignoreCache: more.ignoreCache ?? false,
    description: { "llb.customname": name, ...command },
    caps: Object.fromEntries(caps.map((cap) => [cap, true])),
  };
}

/** A platform as ops carry it. */
export function toOpPlatform(platform: Platform): OpPlatform {
  const { os, architecture, variant = "", osVersion = "" } = platform;
  return { architecture, os, variant, osVersion, osFeatures: [] };
}

/** Numbers the inputs of one op: equal ones once. */
export interface InputList {
  readonly inputs: Input[];
  /** The index of an output among the inputs; −1 for none. */
  add(output: Output | undefined): number;
}

/** An empty list of inputs for the op that is being composed. */
export function createInputList(toInput: (output: Output) => Input): InputList {
  const inputs: Input[] = [];
  return {
    inputs,
    add(output) {
      if (output === undefined) return -1;
      const input = toInput(output);
      const known = inputs.findIndex(({ digest, index }) => digest === input.digest && index === input.index);
      return known >= 0 ? known : inputs.push(input) - 1;
    },
  };
}

/** Composes every node that the result needs, inputs first. */
export function emitDefinition(result: Output | undefined, source: SourceInfo): Definition {
  const builder = createGraphBuilder();
  if (result === undefined) return builder.finish(undefined);
  const sourceIndex = builder.addSource(source);
  const digests = new Map<Node, Input["digest"]>();
  const toInput = ({ node, index }: Output): Input => {
    const digest = digests.get(node);
    if (digest === undefined) throw new TypeError("a node is composed before its input");
    return { digest, index };
  };
  // An explicit stack: a Dockerfile of thousands of instructions is a chain of that depth
  const stack: Node[] = [result.node];
  for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
    const missing = node.inputs.map((input) => input.node).filter((input) => !digests.has(input));
    if (missing.length > 0) {
      stack.push(...missing.reverse());
      continue;
    }
    stack.pop();
    if (digests.has(node)) continue;
    const ranges = node.lines.map((line) => ({
      start: { line, character: 0 },
      end: { line, character: 0 },
    }));
    const locations = ranges.length === 0 ? [] : [{ sourceIndex, ranges }];
    digests.set(node, builder.add(node.compose(toInput), { metadata: node.metadata, locations }));
  }
  return builder.finish(toInput(result));
}
