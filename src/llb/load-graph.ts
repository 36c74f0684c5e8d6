import { VarveError } from "../errors/index.ts";
import { decodeAnyOp, opDigest } from "./op.ts";
import { noMetadata } from "./definition-schema.ts";
import type {
  Definition,
  ExecOp,
  FileAction,
  FileOp,
  Graph,
  Input,
  Op,
  OpDigest,
  SourceLocation,
  UserRef,
  Vertex,
} from "./types.ts";
import { invalidLlb } from "./wire.ts";

/** How big a graph may be before it is `LLB_TOO_LARGE`. */
export interface GraphLimits {
  /** Default 100 000. */
  readonly maxVertices?: number;
  /** Of all ops together. Default 256 MiB: inline files are part of an op. */
  readonly maxBytes?: number;
}

/**
 * Decodes and checks a definition: every input exists and stands before its user (so there is no cycle), every index is in
 * range, the last op and only it is the terminal. What is wrong is `LLB_INVALID`.
 */
export function loadGraph(definition: Definition, limits: GraphLimits = {}): Graph {
  const { maxVertices = 100_000, maxBytes = 256 * 1024 * 1024 } = limits;
  const { def, metadata, source } = definition;
  const sources = source?.infos ?? [];
  if (def.length > maxVertices + 1) throw new VarveError("LLB_TOO_LARGE", `an LLB graph has more than ${maxVertices} vertices`);
  const total = def.reduce((sum, bytes) => sum + bytes.length, 0);
  if (total > maxBytes) throw new VarveError("LLB_TOO_LARGE", `an LLB graph has more than ${maxBytes} bytes`);

  const vertices = new Map<OpDigest, Vertex>();
  const outputs = new Map<OpDigest, number>();
  const checkInputs = (inputs: readonly Input[]): void => {
    for (const { digest, index } of inputs) {
      const count = outputs.get(digest);
      if (count === undefined) throw invalidLlb("an LLB op has an input that does not stand before it");
      if (index < 0 || index >= count) throw invalidLlb("an LLB op has an input from an output that does not exist");
    }
  };

  for (const [place, bytes] of def.entries()) {
    const op = decodeAnyOp(bytes);
    checkInputs(op.inputs);
    if (op.kind === "terminal") {
      if (place !== def.length - 1) throw invalidLlb("an LLB op that is not the last says nothing to do");
      if (op.inputs.length > 1) throw invalidLlb("the last op of an LLB graph has more than one input");
      return { vertices, result: op.inputs[0], sources };
    }
    const digest = opDigest(bytes);
    outputs.set(digest, countOutputs(op));
    const locations = (source === undefined ? undefined : own(source.locations, digest)) ?? [];
    checkLocations(locations, sources.length);
    vertices.set(digest, { digest, op, metadata: own(metadata, digest) ?? noMetadata, locations });
  }
  if (def.length > 0) throw invalidLlb("an LLB graph does not name its result");
  return { vertices, result: undefined, sources };
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Checks the indices within an op and counts its outputs. */
function countOutputs(op: Op): number {
  const inputs = op.inputs.length;
  switch (op.kind) {
    case "exec":
      return countMountOutputs(op.exec, inputs);
    case "file":
      return countActionOutputs(op.file, inputs);
    case "source":
      if (op.source.identifier === "") throw invalidLlb("an LLB source op names no source");
      if (inputs > 0) throw invalidLlb("an LLB source op has inputs");
      return 1;
    case "merge":
      op.merge.inputs.forEach((input) => checkIndex(input, { least: 0, below: inputs }));
      return 1;
    case "diff":
      checkIndex(op.diff.lower, { least: -1, below: inputs });
      checkIndex(op.diff.upper, { least: -1, below: inputs });
      return 1;
  }
}

function countMountOutputs(exec: ExecOp, inputs: number): number {
  if (exec.meta.args.length === 0) throw invalidLlb("an LLB exec op has no arguments");
  const taken = new Set<number>();
  for (const mount of exec.mounts) {
    checkIndex(mount.input, { least: -1, below: inputs });
    // BuildKit writes secret and ssh mounts with output 0 and does not look at it
    if (mount.type === "secret" || mount.type === "ssh" || mount.output === -1) continue;
    checkIndex(mount.output, { least: 0, below: exec.mounts.length });
    if (taken.has(mount.output)) throw invalidLlb("two mounts of an LLB exec op have the same output");
    taken.add(mount.output);
  }
  const roots = exec.mounts.filter((mount) => mount.dest === "/");
  if (roots.length !== 1) throw invalidLlb("an LLB exec op must have one root mount");
  if (taken.size > 0 && Math.max(...taken) !== taken.size - 1) throw invalidLlb("the outputs of an LLB exec op have gaps");
  return taken.size;
}

function countActionOutputs(file: FileOp, inputs: number): number {
  const taken = new Set<number>();
  if (file.actions.length === 0) throw invalidLlb("an LLB file op has no actions");
  for (const [place, action] of file.actions.entries()) {
    const range = { least: -1, below: inputs + place };
    checkIndex(action.input, range);
    checkIndex(action.secondaryInput, range);
    for (const user of owners(action)) if (user?.kind === "name") checkIndex(user.input, { least: -1, below: inputs });
    if (action.output === -1) continue;
    checkIndex(action.output, { least: 0, below: file.actions.length });
    if (taken.has(action.output)) throw invalidLlb("two actions of an LLB file op have the same output");
    taken.add(action.output);
  }
  if (taken.size === 0) throw invalidLlb("an LLB file op has no output");
  if (Math.max(...taken) !== taken.size - 1) throw invalidLlb("the outputs of an LLB file op have gaps");
  return taken.size;
}

function owners(action: FileAction): (UserRef | undefined)[] {
  switch (action.kind) {
    case "copy":
      return [action.copy.owner?.user, action.copy.owner?.group];
    case "mkdir":
      return [action.mkdir.owner?.user, action.mkdir.owner?.group];
    case "mkfile":
      return [action.mkfile.owner?.user, action.mkfile.owner?.group];
    case "symlink":
      return [action.symlink.owner?.user, action.symlink.owner?.group];
    case "rm":
      return [];
  }
}

function checkIndex(index: number, range: { readonly least: number; readonly below: number }): void {
  if (index < range.least || index >= range.below) throw invalidLlb("an LLB op points to an input or output that does not exist");
}

function checkLocations(locations: readonly SourceLocation[], count: number): void {
  for (const { sourceIndex } of locations) checkIndex(sourceIndex, { least: 0, below: count });
}
