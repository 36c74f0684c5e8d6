import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hasCode } from "../sys/index.ts";
import type { OciSpec } from "./oci-spec.ts";

/** crun's own name for a filter that is already compiled, in base64 (crun(1), "EXTENSIONS"); other runtimes pass over it. */
const annotation = "run.oci.seccomp_bpf_data";

/** Filters that crun compiled for this process, by the text of their profile. */
const compiled = new Map<string, string>();

/**
 * Adds the compiled seccomp filter to a specification for crun, where an earlier step of the same profile has left it. Compiling
 * takes crun longer than all the rest of a small step.
 */
export function withCompiledFilter(spec: OciSpec): OciSpec {
  const filter = compiled.get(profileOf(spec));
  return filter === undefined ? spec : { ...spec, annotations: { [annotation]: filter } };
}

/**
 * Takes the filter that crun compiles for this step, as it lies in the container's state folder while the step runs. It is whole
 * once the pid file is there, which crun writes after it. A step that is over sooner leaves nothing, and the next one may.
 */
export function keepCompiledFilter(
  spec: OciSpec,
  { folder, id, pidPath }: { readonly folder: string; readonly id: string; readonly pidPath: string },
): { end(): void } {
  const profile = profileOf(spec);
  if (profile === "" || compiled.has(profile)) return { end: () => undefined };
  let delayMs = 1;
  const look = () => {
    if (existsSync(pidPath)) {
      const filter = readIfThere(join(folder, "state", id, "seccomp.bpf"));
      if (filter !== undefined && filter.length > 0) compiled.set(profile, filter.toString("base64"));
    } else {
      delayMs = Math.min(delayMs * 1.05, maxDelayMs);
      timer = setTimeout(look, delayMs);
    }
  };
  let timer = setTimeout(look, delayMs);
  return { end: () => clearTimeout(timer) };
}

/** A runtime that hangs before its step has begun is not to be asked a thousand times a second. */
const maxDelayMs = 100;

function profileOf({ linux: { seccomp } }: OciSpec): string {
  return seccomp === undefined ? "" : JSON.stringify(seccomp);
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
