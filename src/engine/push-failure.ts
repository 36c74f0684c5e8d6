import { isVarveError, VarveError } from "../errors/index.ts";

/** What is told when an image that is in the store could not be sent: PUSH_FAILED, with how to try again. */
export function pushFailure(error: unknown, name: string): unknown {
  if (!isVarveError(error) || error.kind === "canceled" || error.code === "PUSH_FAILED") return error;
  const again = `the image is in the store; to send it again: varve push ${name}`;
  return new VarveError("PUSH_FAILED", `${name} was not pushed: ${error.message}`, {
    cause: error,
    hint: error.hint === undefined ? again : `${error.hint}; ${again}`,
    details: { ...error.details, reason: error.code },
  });
}
