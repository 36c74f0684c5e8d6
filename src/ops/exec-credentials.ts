import { VarveError } from "../errors/index.ts";
import type { ExecOp, MountCredential } from "../llb/index.ts";
import type { OpsOptions } from "./create-ops.ts";
import type { ExecMount } from "./tasks.ts";

type Sources = Pick<OpsOptions, "secrets" | "agents">;

/**
 * What a step gets of the build's secrets and agents. Values go to the worker through its pipe and from there into memory
 * only: no cache key, no command line and no file on a disk knows them. What is optional and not there is left out; a
 * variable is then empty, as in BuildKit. Fails with SECRET_NOT_FOUND, SSH_NOT_FOUND.
 */
export async function findCredentials(
  exec: ExecOp,
  sources: Sources,
): Promise<{ readonly mounts: readonly ExecMount[]; readonly env: readonly string[] }> {
  const mounts: ExecMount[] = [];
  for (const { dest, secret, ssh } of exec.mounts) {
    const source = secret ? await findSecret(secret, sources) : ssh ? await findAgent(ssh, sources) : undefined;
    if (source !== undefined) mounts.push({ dest, selector: "", readonly: secret !== undefined, source });
  }
  const env: string[] = [];
  for (const { id, name, optional } of exec.secretEnv) {
    const value = await sources.secrets.get(id);
    if (value === undefined && !optional) throw noSecret(id);
    env.push(`${name}=${Buffer.from(value ?? []).toString()}`);
  }
  return { mounts, env };
}

async function findSecret(
  { id, uid, gid, mode, optional }: MountCredential,
  { secrets }: Sources,
): Promise<ExecMount["source"] | undefined> {
  const data = await secrets.get(id);
  if (data !== undefined) return { kind: "secret", data, uid, gid, mode };
  if (!optional) throw noSecret(id);
  return undefined;
}

async function findAgent(
  { id, uid, gid, mode, optional }: MountCredential,
  { agents }: Sources,
): Promise<ExecMount["source"] | undefined> {
  const name = id || "default";
  const agent = await agents.socketOf(name);
  if (agent !== undefined) return { kind: "ssh", agent, uid, gid, mode };
  if (optional) return undefined;
  throw new VarveError("SSH_NOT_FOUND", `no SSH key "${name}" forwarded from the client`, { hint: `give it with --ssh ${name}` });
}

function noSecret(id: string): VarveError {
  return new VarveError("SECRET_NOT_FOUND", `secret ${id}: not found`, { hint: `give it with --secret id=${id}` });
}
