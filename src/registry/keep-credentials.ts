import { eraseWithHelper, storeWithHelper } from "./credential-helper.ts";
import type { Credentials } from "./credentials.ts";
import { helperOf, hostOfKey, keyOfHost, readDockerConfig, updateAuths } from "./docker-config.ts";

export interface KeepOptions {
  readonly dockerConfigDir: string;
  readonly signal?: AbortSignal;
}

/** Where credentials are kept: in `config.json` as plain text, or by a helper. */
export type CredentialPlace = { readonly file: string } | { readonly helper: string };

/**
 * Keeps credentials as `docker login` does: with the helper that Docker's config.json names for the host, else in the file
 * itself. `CREDENTIALS_UNWRITABLE` where it cannot.
 */
export async function keepCredentials(host: string, known: Credentials, options: KeepOptions): Promise<CredentialPlace> {
  const { dockerConfigDir, signal } = options;
  const config = await readDockerConfig(dockerConfigDir);
  const helper = helperOf(config, host);
  if (helper !== undefined) {
    await storeWithHelper(helper, keyOfHost(host), known, { signal });
    await updateAuths(dockerConfigDir, host, {});
    return { helper };
  }
  const { username = "", password = "", identityToken } = known;
  const auth = Buffer.from(`${username}:${identityToken === undefined ? password : ""}`).toString("base64");
  await updateAuths(dockerConfigDir, host, { auth, ...(identityToken === undefined ? {} : { identitytoken: identityToken }) });
  return { file: config.path };
}

/** Forgets a host's credentials, in the file and with its helper. Resolves to whether the file had any. */
export async function forgetCredentials(host: string, { dockerConfigDir, signal }: KeepOptions): Promise<boolean> {
  const config = await readDockerConfig(dockerConfigDir);
  const helper = helperOf(config, host);
  if (helper !== undefined) await eraseWithHelper(helper, keyOfHost(host), { signal });
  const known = config.auths.has(hostOfKey(keyOfHost(host)));
  if (known) await updateAuths(dockerConfigDir, host, undefined);
  return known;
}
