import { runCopyRequest } from "./copy-request.ts";
import type { CopyReply, CopyRequest } from "./copy-types.ts";
import { toWire } from "../worker/index.ts";

// Run in namespaces where a container's root can be reached: one request, the archive on stdin or stdout, the outcome to the parent.
process.once("message", (request: CopyRequest) => {
  const tell = (reply: CopyReply): void => {
    process.send?.(reply, () => process.exit(0));
  };
  runCopyRequest(request).then(
    (info) => tell({ type: "done", ...(info === undefined ? {} : { info }) }),
    (error: unknown) => tell({ type: "failure", failure: toWire(error) }),
  );
});
// Whoever asked has gone.
process.once("disconnect", () => process.exit(1));
process.stdout.on("error", () => process.exit(1));
