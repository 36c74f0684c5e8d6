import { defineCommand } from "../command.ts";
import { hostOfServer, hubAddress } from "./login.ts";

export const logout = defineCommand({
  usage: "[SERVER]",
  flags: {},
  args: { min: 0, max: 1 },
  async run({ args: [server], io, openStore }) {
    const registry = hostOfServer(server);
    const { logins } = await openStore();
    io.stdout.print(`Removing login credentials for ${registry === "docker.io" ? hubAddress : registry}\n`);
    await logins.logout(registry, { signal: io.signal });
  },
});
