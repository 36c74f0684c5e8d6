import { hash } from "node:crypto";
import type { MergeOp } from "../llb/index.ts";
import { isStack, type Ref } from "../snapshots/index.ts";
import type { SolverOp } from "../solver/index.ts";

/** Stacks its inputs on one another (L40). Nothing is copied: a stack is a list of snapshots. */
export function createMergeOp({ inputs: order }: MergeOp): SolverOp<Ref> {
  return {
    cacheMap: async () => ({
      digest: hash("sha256", JSON.stringify(["merge", order])),
      dependencies: order.map(() => ({ selector: "" })),
    }),
    exec: async (inputs) => {
      const layers = order.flatMap((index) => {
        const input = inputs[index];
        if (!input || !isStack(input)) throw new TypeError("only stacks can be merged");
        return input.layers;
      });
      return [{ kind: "stack", layers }];
    },
  };
}
