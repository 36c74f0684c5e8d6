import { readFileSync, writeSync } from "node:fs";
import { isVarveError } from "../errors/index.ts";
import { prepareRoot } from "./prepare-root.ts";
import type { RootPlan } from "./root-plan.ts";

// Run in a container's new mount namespace, before its monitor takes the place of the shell around it. Failures go to the pipe
// where the monitor would speak.
try {
  const { cgroupsPath } = prepareRoot(JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as RootPlan);
  writeSync(3, `${JSON.stringify({ cgroupsPath })}\n`);
} catch (error) {
  const { message } = error as Error;
  const known = isVarveError(error) ? { code: error.code, hint: error.hint, details: error.details } : {};
  writeSync(3, `${JSON.stringify({ failure: { message, ...known } })}\n`);
  process.exit(125);
}
