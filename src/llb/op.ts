import { createHash } from "node:crypto";
import { VarveError } from "../errors/index.ts";
import { encode } from "./codec.ts";
import type { WireAction, WireOwner, WireUser } from "./file-schema.ts";
import { wireOp, type WireOp } from "./op-schema.ts";
import type { FileAction, Input, Op, OpDigest, Owner, UserRef } from "./types.ts";
import { invalidLlb } from "./wire.ts";

/** An op as the bytes that its digest is taken of: what Go's deterministic protobuf marshalling gives. */
export function encodeOp(op: Op): Uint8Array {
  return encode(wireOp, toWire(op));
}

/** Reads one op. Malformed bytes are `LLB_INVALID`; kinds that Varve does not run are `LLB_UNSUPPORTED`. */
export function decodeOp(bytes: Uint8Array): Op {
  const decoded = decodeAnyOp(bytes);
  if (decoded.kind === "terminal") throw invalidLlb("an LLB op says nothing to do");
  return decoded;
}

/** The last op of a definition: no kind, and one input or none. */
export interface TerminalOp {
  readonly kind: "terminal";
  readonly inputs: readonly Input[];
}

/** Encodes the op that ends a definition and names its result. */
export function encodeTerminal(result: Input): Uint8Array {
  return encode(wireOp, { inputs: [result] });
}

/** Like {@link decodeOp}, for terminal ops too. */
export function decodeAnyOp(bytes: Uint8Array): Op | TerminalOp {
  const wire = wireOp.decode(bytes);
  const { inputs } = wire;
  const kinds = [wire.exec, wire.source, wire.file, wire.merge, wire.diff, wire.build, wire.passthrough].filter(
    (kind) => kind !== undefined,
  );
  if (kinds.length > 1) throw invalidLlb("an LLB op is of several kinds at once");
  for (const [name, value] of [
    ["build", wire.build],
    ["passthrough", wire.passthrough],
  ] as const) {
    if (value !== undefined) throw new VarveError("LLB_UNSUPPORTED", `an LLB graph holds a ${name} op, which Varve does not run`);
  }
  const common = {
    inputs,
    ...(wire.platform === undefined ? {} : { platform: wire.platform }),
    ...(wire.constraints === undefined ? {} : { constraints: wire.constraints }),
  };
  if (wire.exec !== undefined) {
    const { meta } = wire.exec;
    if (meta === undefined) throw invalidLlb("an LLB exec op has no command");
    return { ...common, kind: "exec", exec: { ...wire.exec, meta } };
  }
  if (wire.source !== undefined) return { ...common, kind: "source", source: wire.source };
  if (wire.file !== undefined) return { ...common, kind: "file", file: { actions: wire.file.actions.map(fromWireAction) } };
  if (wire.merge !== undefined)
    return {
      ...common,
      kind: "merge",
      merge: { inputs: wire.merge.inputs.map(({ input }) => input) },
    };
  if (wire.diff !== undefined) {
    const { lower, upper } = wire.diff;
    return {
      ...common,
      kind: "diff",
      diff: { lower: lower?.input ?? 0, upper: upper?.input ?? 0 },
    };
  }
  return { kind: "terminal", inputs };
}

/** The identity of a vertex: the SHA-256 of its encoded op. */
export function opDigest(bytes: Uint8Array): OpDigest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}` as OpDigest;
}

function toWire(op: Op): WireOp {
  const common = {
    inputs: op.inputs,
    ...(op.platform === undefined ? {} : { platform: op.platform }),
    ...(op.constraints === undefined ? {} : { constraints: op.constraints }),
  };
  switch (op.kind) {
    case "exec":
      return { ...common, exec: op.exec };
    case "source":
      return { ...common, source: op.source };
    case "file":
      return { ...common, file: { actions: op.file.actions.map(toWireAction) } };
    case "merge":
      return { ...common, merge: { inputs: op.merge.inputs.map((input) => ({ input })) } };
    case "diff":
      return {
        ...common,
        diff: { lower: { input: op.diff.lower }, upper: { input: op.diff.upper } },
      };
  }
}

function toWireAction(action: FileAction): WireAction {
  const { input, secondaryInput, output } = action;
  const common = { input, secondaryInput, output };
  switch (action.kind) {
    case "copy":
      return { ...common, copy: withWireOwner(action.copy) };
    case "mkfile":
      return { ...common, mkfile: withWireOwner(action.mkfile) };
    case "mkdir":
      return { ...common, mkdir: withWireOwner(action.mkdir) };
    case "symlink":
      return { ...common, symlink: withWireOwner(action.symlink) };
    case "rm":
      return { ...common, rm: action.rm };
  }
}

function fromWireAction(wire: WireAction): FileAction {
  const { input, secondaryInput, output } = wire;
  const common = { input, secondaryInput, output };
  const kinds = [wire.copy, wire.mkfile, wire.mkdir, wire.rm, wire.symlink].filter((kind) => kind !== undefined);
  if (kinds.length > 1) throw invalidLlb("an LLB file action is of several kinds at once");
  if (wire.copy !== undefined) return { ...common, kind: "copy", copy: withOwner(wire.copy) };
  if (wire.mkfile !== undefined) return { ...common, kind: "mkfile", mkfile: withOwner(wire.mkfile) };
  if (wire.mkdir !== undefined) return { ...common, kind: "mkdir", mkdir: withOwner(wire.mkdir) };
  if (wire.symlink !== undefined) return { ...common, kind: "symlink", symlink: withOwner(wire.symlink) };
  if (wire.rm !== undefined) return { ...common, kind: "rm", rm: wire.rm };
  throw invalidLlb("an LLB file action says nothing to do");
}

function withWireOwner<T extends { readonly owner?: Owner }>(value: T): Omit<T, "owner"> & { readonly owner?: WireOwner } {
  const { owner, ...rest } = value;
  if (owner === undefined) return rest;
  const { user, group } = owner;
  return {
    ...rest,
    owner: {
      ...(user === undefined ? {} : { user: toWireUser(user) }),
      ...(group === undefined ? {} : { group: toWireUser(group) }),
    },
  };
}

function withOwner<T extends { readonly owner?: WireOwner }>(wire: T): Omit<T, "owner"> & { readonly owner?: Owner } {
  const { owner, ...rest } = wire;
  if (owner === undefined) return rest;
  const user = fromWireUser(owner.user);
  const group = fromWireUser(owner.group);
  return {
    ...rest,
    owner: { ...(user === undefined ? {} : { user }), ...(group === undefined ? {} : { group }) },
  };
}

function toWireUser(user: UserRef): WireUser {
  return user.kind === "id" ? { byId: user.id } : { byName: { name: user.name, input: user.input } };
}

function fromWireUser(wire: WireUser | undefined): UserRef | undefined {
  if (wire?.byName !== undefined && wire.byId !== undefined)
    throw invalidLlb("an LLB owner is given by name and by number at once");
  if (wire?.byName !== undefined) return { kind: "name", ...wire.byName };
  return wire?.byId === undefined ? undefined : { kind: "id", id: wire.byId };
}
