import { statSync } from "node:fs";
import { VarveError } from "../errors/index.ts";
import { startKeyAgent, type KeyAgent } from "./key-agent.ts";

/** An agent that runs already, by the path of its socket; or private keys, by the paths of their files. */
export type AgentSource = { readonly socket: string } | { readonly keys: readonly string[] };

/** The SSH agents of one build. Dispose of them to end those that were started for keys. */
export interface SshAgents extends AsyncDisposable {
  /** The agent's socket, which nothing filters; undefined when the build was given none of that id. */
  socketOf(id: string): Promise<string | undefined>;
}

/**
 * The agents of a build by id (R05). An agent for keys is started by the first step that needs it. Fails at once with
 * SSH_KEY_UNREADABLE for a path that is not there.
 */
export function openSshAgents(sources: Readonly<Record<string, AgentSource>>, { path }: { readonly path: string }): SshAgents {
  for (const source of Object.values(sources)) {
    for (const file of "keys" in source ? source.keys : [source.socket]) {
      if (statSync(file, { throwIfNoEntry: false }) === undefined)
        throw new VarveError("SSH_KEY_UNREADABLE", `${file}: no such file`);
    }
  }
  const started = new Map<string, Promise<KeyAgent>>();
  return {
    async socketOf(id) {
      const source = Object.hasOwn(sources, id) ? sources[id] : undefined;
      if (source === undefined) return undefined;
      if ("socket" in source) return source.socket;
      let agent = started.get(id);
      if (agent === undefined) {
        agent = startKeyAgent(source.keys, { path });
        started.set(id, agent);
      }
      return (await agent).socket;
    },
    async [Symbol.asyncDispose]() {
      for (const agent of await Promise.allSettled(started.values())) {
        if (agent.status === "fulfilled") await agent.value[Symbol.asyncDispose]();
      }
    },
  };
}
