import { isVarveError, VarveError } from "../errors/index.ts";

/** What is told when an image could not be sent: PUSH_FAILED, with how to try again. `isStored`: it is in the store, as is the default. */
export function pushFailure(error: unknown, name: string, { isStored = true }: { readonly isStored?: boolean } = {}): unknown {
  if (!isVarveError(error) || error.kind === "canceled" || error.code === "PUSH_FAILED") return error;
  const again = isStored
    ? `the image is in the store; to send it again: varve push ${name}`
    : "what was built is in the cache: the same build again sends it";
  return new VarveError("PUSH_FAILED", `${name} was not pushed: ${error.message}`, {
    cause: error,
    hint: error.hint === undefined ? again : `${error.hint}; ${again}`,
    details: { ...error.details, reason: error.code },
  });
}
