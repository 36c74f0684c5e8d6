import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readCapabilities, type OciSpec } from "../runtime/index.ts";
import { lookupUser } from "../tree/index.ts";
import type { ContainerHandle } from "./handle.ts";
import type { ContainerConfig, ExecRequest } from "./types.ts";

type Process = OciSpec["process"];

/**
 * The process that `exec` adds to a container: like its first one (limits, no-new-privileges, working folder, user), with what the
 * request says. The user is looked up in the container's files as they are now. Fails with TREE_USER.
 */
export function execSpec(handle: ContainerHandle, config: ContainerConfig, request: ExecRequest): object {
  const { process: first } = JSON.parse(readFileSync(join(handle.folder, "config.json"), "utf8")) as OciSpec;
  const found =
    request.user === undefined || request.user === "" ? undefined : lookupUser(`/proc/${handle.pid}/root`, request.user);
  const user =
    found === undefined
      ? first.user
      : { uid: found.uid, gid: found.gid, additionalGids: [...new Set([found.gid, ...found.additionalGids])] };
  const home = found === undefined ? undefined : (found.home ?? "/");
  return {
    ...first,
    terminal: request.tty === true,
    ...(request.tty === true && request.size !== undefined
      ? { consoleSize: { height: request.size.rows, width: request.size.columns } }
      : {}),
    user,
    args: request.command,
    env: execEnvironment(first, config, request, home),
    cwd: request.workingDir ?? first.cwd,
    capabilities: capabilitiesFor(first.capabilities, user.uid, request.privileged === true ? handle.monitorPid : undefined),
  };
}

/** Docker's: the container's, TERM only with a terminal of its own, HOME of the user where nobody set it. */
function execEnvironment(first: Process, config: ContainerConfig, request: ExecRequest, home: string | undefined): string[] {
  const names = new Set(config.env.map(nameOf));
  const env = new Map<string, string>();
  for (const entry of first.env) {
    const name = nameOf(entry);
    if (names.has(name) || (name !== "TERM" && (name !== "HOME" || home === undefined))) env.set(name, entry);
  }
  if (request.tty === true && !env.has("TERM")) env.set("TERM", "TERM=xterm");
  for (const entry of request.env ?? []) {
    // A name alone takes it away.
    if (entry.includes("=")) env.set(nameOf(entry), entry);
    else env.delete(entry);
  }
  if (home !== undefined && !env.has("HOME")) env.set("HOME", `HOME=${home}`);
  return [...env.values()];
}

function nameOf(entry: string): string {
  const at = entry.indexOf("=");
  return at < 0 ? entry : entry.slice(0, at);
}

/** Who is not root has none that take effect, as after execve(2). */
function capabilitiesFor(first: Process["capabilities"], uid: number, privilegesOf: number | undefined): Process["capabilities"] {
  const bounding = privilegesOf === undefined ? first.bounding : capabilitiesOf(privilegesOf);
  const active = uid === 0 ? bounding : [];
  return { ...first, bounding, effective: active, permitted: active };
}

/** All that the monitor may give. */
function capabilitiesOf(pid: number): readonly string[] {
  const mask = /^CapPrm:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return readCapabilities(mask ?? "0");
}
