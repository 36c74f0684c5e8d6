import { message } from "./codec.ts";
import { choice, embedded, integer, repeated, repeatedText, text, textMap } from "./fields.ts";
import { wireAction, type WireAction } from "./file-schema.ts";
import { wireExec, type WireExec } from "./exec-schema.ts";
import type { Input, OpPlatform, SourceOp } from "./types.ts";

/*
 * The tables of BuildKit's solver/pb/ops.proto: field names to numbers. Where the values of types.ts have another shape
 * than the protobuf's (its `oneof`s), the table is of a wire shape declared here; op.ts converts.
 */

/** One number in a message of its own (MergeInput, LowerDiffInput, UpperDiffInput). */
export interface WireIndex {
  readonly input: number;
}
const index = message<WireIndex>("input index", { input: integer(1) });

/** `exec` to `diff` are a oneof; none of them is set in the terminal op. */
export interface WireOp {
  readonly inputs: readonly Input[];
  readonly exec?: WireExec;
  readonly source?: SourceOp;
  readonly file?: { readonly actions: readonly WireAction[] };
  readonly build?: object;
  readonly merge?: { readonly inputs: readonly WireIndex[] };
  readonly diff?: { readonly lower?: WireIndex; readonly upper?: WireIndex };
  readonly passthrough?: object;
  readonly platform?: OpPlatform;
  readonly constraints?: { readonly filter: readonly string[] };
}
/** Op. The kinds that Varve does not run (build, passthrough) are read far enough to be named. */
export const wireOp = message<WireOp>("Op", {
  inputs: repeated(1, message<Input>("Input", { digest: text(1) as never, index: integer(2) })),
  exec: choice(2, wireExec),
  source: choice(3, message<SourceOp>("SourceOp", { identifier: text(1), attrs: textMap(2) })),
  file: choice(
    4,
    message<{ readonly actions: readonly WireAction[] }>("FileOp", {
      actions: repeated(2, wireAction),
    }),
  ),
  build: choice(5, message<object>("BuildOp", {}, [1, 2, 3, 4])),
  merge: choice(6, message<{ readonly inputs: readonly WireIndex[] }>("MergeOp", { inputs: repeated(1, index) })),
  diff: choice(
    7,
    message<{ readonly lower?: WireIndex; readonly upper?: WireIndex }>("DiffOp", {
      lower: embedded(1, index),
      upper: embedded(2, index),
    }),
  ),
  passthrough: choice(8, message<object>("PassthroughOp", {}, [1, 2])),
  platform: embedded(
    10,
    message<OpPlatform>("Platform", {
      architecture: text(1),
      os: text(2),
      variant: text(3),
      osVersion: text(4),
      osFeatures: repeatedText(5),
    }),
  ),
  constraints: embedded(
    11,
    message<{ readonly filter: readonly string[] }>("WorkerConstraints", {
      filter: repeatedText(1),
    }),
  ),
});
