import type { CredentialPlace } from "../registry/index.ts";

/** What a user proves to a registry. */
export interface LoginRequest {
  /** As it stands in references: `docker.io`, `example.com:5000`. */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

/** Credentials for registries, where Docker keeps them. No store is opened for them. */
export interface Logins {
  /**
   * Proves the credentials to the registry, then keeps them. Fails with REGISTRY_DENIED and other REGISTRY_* codes, with
   * CREDENTIALS_INVALID or CREDENTIALS_UNWRITABLE.
   */
  login(request: LoginRequest, options?: { readonly signal?: AbortSignal }): Promise<CredentialPlace>;
  /** Proves the credentials that are kept; undefined where there are none. Else the user's name, where it is known. */
  check(registry: string, options?: { readonly signal?: AbortSignal }): Promise<{ readonly username?: string } | undefined>;
  /** Forgets credentials. Resolves to whether there were any in the file. */
  logout(registry: string, options?: { readonly signal?: AbortSignal }): Promise<boolean>;
}
