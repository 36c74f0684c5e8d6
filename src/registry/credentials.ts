/** What a registry knows a user by. Exactly one of the three ways is used: the first that is there, in this order. */
export interface Credentials {
  /** Sent as the bearer token itself. */
  readonly registryToken?: string;
  /** An OAuth2 refresh token, exchanged for a bearer token. */
  readonly identityToken?: string;
  readonly username?: string;
  readonly password?: string;
}

/** The credentials for a registry's host (with port), or undefined for anonymous. */
export type CredentialSource = (host: string, options: { signal?: AbortSignal | undefined }) => Promise<Credentials | undefined>;
