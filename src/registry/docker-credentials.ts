import { VarveError } from "../errors/index.ts";
import { askHelper } from "./credential-helper.ts";
import type { Credentials, CredentialSource } from "./credentials.ts";
import { helperOf, hostOfKey, keyOfHost, readDockerConfig, type DockerConfig } from "./docker-config.ts";

export interface DockerCredentialsOptions {
  /** The folder with Docker's `config.json`. It need not exist. */
  readonly dockerConfigDir: string;
  /** Told, at most once each, what keeps credentials from being found although the config names them. */
  readonly onWarning?: (message: string) => void;
  /** How long a credential helper may take, e.g. to ask for a passphrase; 60 s by default. */
  readonly helperTimeoutMs?: number;
}

/**
 * Credentials as Docker's command line stores them: `auths`, `credHelpers` and `credsStore` of `config.json`, and the
 * programs `docker-credential-*`. The file is read at the first question. A helper that is not installed is a warning, and the
 * user anonymous; a file or an answer that cannot be read is `CREDENTIALS_INVALID`.
 */
export function loadDockerCredentials(options: DockerCredentialsOptions): CredentialSource {
  const { helperTimeoutMs = 60_000 } = options;
  const warned = new Set<string>();
  const warn = (message: string): void => {
    if (!warned.has(message)) options.onWarning?.(message);
    warned.add(message);
  };
  let config: Promise<DockerConfig> | undefined;
  return async (host, { signal }) => {
    config ??= readDockerConfig(options.dockerConfigDir);
    const { auths } = await config;
    const key = keyOfHost(host);
    const helper = helperOf(await config, host);
    if (helper !== undefined) {
      const found = await askHelper(helper, key, { signal, helperTimeoutMs, warn });
      if (found !== undefined) return found;
    }
    const entry = auths.get(hostOfKey(key));
    return entry === undefined ? undefined : credentialsOf(entry, host);
  };
}

function credentialsOf(entry: Record<string, unknown>, host: string): Credentials | undefined {
  const text = (name: string): string | undefined =>
    typeof entry[name] === "string" && entry[name] !== "" ? entry[name] : undefined;
  const [registryToken, identityToken, auth] = [text("registrytoken"), text("identitytoken"), text("auth")];
  if (registryToken !== undefined) return { registryToken };
  if (identityToken !== undefined) return { identityToken };
  if (auth === undefined) {
    const [username, password] = [text("username"), text("password")];
    return username === undefined || password === undefined ? undefined : { username, password };
  }
  const decoded = Buffer.from(auth, "base64").toString();
  const colon = decoded.indexOf(":");
  if (colon < 1) {
    throw new VarveError("CREDENTIALS_INVALID", `the credentials for ${host} in Docker's config.json cannot be decoded`, {
      hint: `log in again with docker login ${host}`,
    });
  }
  return {
    username: decoded.slice(0, colon),
    password: decoded.slice(colon + 1).replace(/\0+$/, ""),
  };
}
