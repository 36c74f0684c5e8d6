/**
 * What a build is trusted with: secrets by their id, and SSH agents, which steps reach through a filter that lets them list
 * keys and sign. Values live in memory alone: nothing here writes them to a disk, into a message or onto a command line.
 */
export { createSecretStore, type SecretSource, type SecretStore } from "./secret-store.ts";
export { openSshAgents, type AgentSource, type SshAgents } from "./ssh-agents.ts";
export { serveAgent, type AgentService } from "./serve-agent.ts";
