import { createRegistryClient, forgetCredentials, keepCredentials, loadDockerCredentials } from "../registry/index.ts";
import { packageVersion } from "../package/index.ts";
import { readConfig } from "./config.ts";
import type { Logins } from "./login-types.ts";
import type { Settings } from "./open-varve.ts";

/** The logins over Docker's config folder and the registries' settings. */
export function createLogins(settings: Settings): Logins {
  const { configPath, dockerConfigDir, proxyEnv } = settings;
  const connect = () => {
    const { registry, transfers } = readConfig(configPath);
    return createRegistryClient({ config: registry, limits: transfers, userAgent: `varve/${packageVersion()}`, proxyEnv });
  };
  const keeping = (signal: AbortSignal | undefined) => ({ dockerConfigDir, ...(signal === undefined ? {} : { signal }) });
  return {
    async login({ registry, username, password }, { signal } = {}) {
      const client = connect();
      try {
        const kept = await client.checkCredentials(registry, { username, password }, { signal });
        return await keepCredentials(registry, { username, ...kept }, keeping(signal));
      } finally {
        client.close();
      }
    },
    async check(registry, { signal } = {}) {
      const known = await loadDockerCredentials({ dockerConfigDir, onWarning: settings.onWarning })(registry, { signal });
      if (known === undefined) return undefined;
      const client = connect();
      try {
        await client.checkCredentials(registry, known, { signal });
        return known.username === undefined ? {} : { username: known.username };
      } finally {
        client.close();
      }
    },
    logout: async (registry, { signal } = {}) => await forgetCredentials(registry, keeping(signal)),
  };
}
