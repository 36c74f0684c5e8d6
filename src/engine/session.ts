import { createSecretStore, openSshAgents, type SecretStore, type SshAgents } from "../secrets/index.ts";
import { createPins, type Pins } from "../sources/index.ts";
import type { BuildOptions } from "./types.ts";

/** What all graphs of one build share. Dispose of it to end the agents that were started. */
export interface Session extends AsyncDisposable {
  readonly secrets: SecretStore;
  readonly agents: SshAgents;
  /** What URLs and refs stood for when this build first asked. */
  readonly pins: Pins;
}

export function openSession(
  { secrets = {}, ssh = {} }: Pick<BuildOptions, "secrets" | "ssh">,
  { path }: { readonly path: string },
): Session {
  const agents = openSshAgents(ssh, { path });
  return {
    secrets: createSecretStore(secrets),
    agents,
    pins: createPins(),
    [Symbol.asyncDispose]: () => agents[Symbol.asyncDispose](),
  };
}
