import type { Credentials } from "./credentials.ts";
import type { Endpoint } from "./endpoints.ts";
import type { RegistryLimits } from "./limits.ts";
import { createSession } from "./session.ts";

export interface CheckOptions {
  readonly endpoint: Endpoint;
  readonly known: Credentials;
  readonly userAgent: string;
  readonly limits: RegistryLimits;
  readonly proxyEnv: Readonly<Record<string, string>> | undefined;
}

/**
 * Asks for the root of the API with these credentials, over connections of its own, so that nothing known before answers for
 * them. (OCI distribution-spec, "Determining Support")
 */
export async function checkCredentials(
  { endpoint, known, userAgent, limits, proxyEnv }: CheckOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<Credentials> {
  let identityToken: string | undefined;
  const session = createSession({
    credentials: async () => known,
    userAgent,
    limits,
    proxyEnv,
    settingsOf: () => undefined,
    onIdentityToken: (token) => (identityToken = token),
  });
  try {
    const answer = await session.exchange(
      endpoint,
      { method: "GET", target: "", scope: "", subject: { ref: { domain: endpoint.namespace, path: "" }, purpose: "login" } },
      { signal },
    );
    answer.discard();
    if (identityToken === undefined) return known;
    return { ...(known.username === undefined ? {} : { username: known.username }), identityToken };
  } finally {
    session.close();
  }
}
