import { basename } from "node:path/posix";
import type { CheckedMount } from "../dockerfile/index.ts";
import type { Mount, MountCredential, SecretEnv } from "../llb/index.ts";

type SecretMount = Extract<CheckedMount, { type: "secret" }>;
type AgentMount = Extract<CheckedMount, { type: "ssh" }>;

/** The secrets and SSH agents of a RUN. */
export interface Credentials {
  /** In BuildKit's order: the files of secrets, then sockets. A relative `dest` starts from the step's working directory. */
  readonly mounts: readonly Mount[];
  readonly secretEnv: readonly SecretEnv[];
  /** Where the first agent's socket is: what SSH_AUTH_SOCK is set to (Y14). */
  readonly agentSocket: string | undefined;
}

/** What the secret and ssh mounts of a RUN, in order, ask for (R04, R05). */
export function credentialsOf(mounts: readonly CheckedMount[]): Credentials {
  const secrets = mounts.filter((mount) => mount.type === "secret");
  const agents = mounts.filter((mount) => mount.type === "ssh").map(agentMount);
  return {
    mounts: [...secrets.flatMap(secretFile), ...agents],
    secretEnv: secrets.flatMap(({ id, env, required }) => (env === undefined ? [] : [{ id, name: env, optional: !required }])),
    agentSocket: agents[0]?.dest,
  };
}

/** A secret that is given a variable is a file only where a target is named too (Y13). */
function secretFile(mount: SecretMount): Mount[] {
  const { id, target, env } = mount;
  if (target === undefined && env !== undefined) return [];
  const dest = target ?? `/run/secrets/${basename(id)}`;
  return [{ ...plainMount, dest, type: "secret", secret: credentialOf(mount, id, 0o400) }];
}

function agentMount(mount: AgentMount, index: number): Mount {
  const dest = mount.target ?? `/run/buildkit/ssh_agent.${index}`;
  return { ...plainMount, dest, type: "ssh", ssh: credentialOf(mount, mount.id ?? "", 0o600) };
}

function credentialOf(
  { uid = 0, gid = 0, mode, required }: SecretMount | AgentMount,
  id: string,
  defaultMode: number,
): MountCredential {
  return { id, uid, gid, mode: mode ?? defaultMode, optional: !required };
}

const plainMount = { input: -1, selector: "", output: 0, readonly: false, resultId: "", contentCache: "default" } as const;
