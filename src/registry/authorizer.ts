import { redactUrl, VarveError } from "../errors/index.ts";
import { collectBytes, singleFlight } from "../flow/index.ts";
import { parseChallenges, type Challenge } from "./challenge.ts";
import type { Credentials, CredentialSource } from "./credentials.ts";
import { deniedFailure, statusFailure, type Subject } from "./failures.ts";
import type { RegistryLimits } from "./limits.ts";
import type { HttpAnswer, HttpRequest, Transport } from "./transport.ts";

export interface Authorizer {
  /** The `Authorization` header that an earlier answer earned for this host and scope, if it still holds. */
  known(host: string, scope: string): string | undefined;
  /** Answers the challenges of a 401 with a fresh header, kept for later. Throws `REGISTRY_DENIED` when there is no way. */
  answer(unauthorized: HttpAnswer, request: AuthorizationRequest): Promise<string>;
}

export interface AuthorizationRequest {
  readonly host: string;
  readonly scope: string;
  readonly subject: Subject;
  /** The connection to use for an address: the registry's own, or a token server's. */
  readonly transportTo: (url: URL) => Transport;
  readonly signal: AbortSignal;
}

interface Grant {
  readonly header: string;
  readonly expiresAtMs: number;
}

/** Tokens without a lifetime hold for a minute, and every token is given up a little early. (distribution, token spec) */
const defaultTokenSeconds = 60;
const earlySeconds = 10;

/**
 * Basic authentication, and the token flow of distribution's "Token Authentication Specification". Grants live as long
 * as this does.
 */
export function createAuthorizer(options: {
  credentials: CredentialSource;
  userAgent: string;
  limits: RegistryLimits;
  onIdentityToken?: (token: string) => void;
}): Authorizer {
  const grants = new Map<string, Grant>();
  const flights = singleFlight<string, Grant>();
  const keyOf = (host: string, scope: string): string => `${host} ${scope}`;
  return {
    known(host, scope) {
      const grant = grants.get(keyOf(host, scope)) ?? grants.get(host);
      return grant !== undefined && grant.expiresAtMs > Date.now() ? grant.header : undefined;
    },
    async answer(unauthorized, request) {
      const key = keyOf(request.host, request.scope);
      const challenges = parseChallenges(unauthorized.headers["www-authenticate"] ?? "");
      const grant = await flights.run(
        key,
        async (signal) => {
          const made = await earnGrant(challenges, unauthorized.url, { ...request, signal }, options);
          // Basic credentials are good for every scope.
          grants.set(made.header.startsWith("Basic ") ? request.host : key, made);
          return made;
        },
        { signal: request.signal },
      );
      return grant.header;
    },
  };
}

interface EarnOptions {
  readonly credentials: CredentialSource;
  readonly userAgent: string;
  readonly limits: RegistryLimits;
  readonly onIdentityToken?: (token: string) => void;
}

async function earnGrant(challenges: Challenge[], url: URL, request: AuthorizationRequest, options: EarnOptions): Promise<Grant> {
  const known = await options.credentials(request.host, { signal: request.signal });
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  if (bearer !== undefined) {
    if (known?.registryToken !== undefined) return { header: bearerHeader(known.registryToken, url), expiresAtMs: Infinity };
    return await fetchToken(bearer, url, known, request, options);
  }
  const basic = challenges.some(({ scheme }) => scheme === "basic") ? basicHeader(known) : undefined;
  if (basic === undefined) throw deniedFailure(request.subject, { status: 401, host: url.host });
  return { header: basic, expiresAtMs: Infinity };
}

async function fetchToken(
  challenge: Challenge,
  asked: URL,
  known: Credentials | undefined,
  request: AuthorizationRequest,
  options: EarnOptions,
): Promise<Grant> {
  const realm = challenge.parameters.get("realm") ?? "";
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new VarveError(
      "REGISTRY_PROTOCOL",
      `${asked.host} sends for a token to "${redactUrl(realm).slice(0, 200)}", which is no web address`,
    );
  }
  if (asked.protocol === "https:" && url.protocol === "http:" && known !== undefined) {
    throw new VarveError(
      "REGISTRY_PROTOCOL",
      `${asked.host} sends for a token to ${url.host} without encryption; credentials are not sent there`,
    );
  }
  const offered = (challenge.parameters.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
  const wanted = request.scope.split(" ").filter((scope) => scope !== "");
  const scopes = offered.length === 0 || request.scope.includes("push") ? [...new Set([...offered, ...wanted])] : offered;
  const service = challenge.parameters.get("service") ?? "";
  const asking = { service, scopes, userAgent: options.userAgent, offline: options.onIdentityToken !== undefined };
  const answer = await request.transportTo(url).send(tokenRequest(url, known, asking), {
    signal: request.signal,
  });
  if (answer.status !== 200)
    throw await statusFailure(answer, known?.identityToken === undefined ? "GET" : "POST", request.subject);
  const bytes = await readToken(answer, options.limits.maxTokenBytes);
  const body = parseToken(bytes, url);
  if (body.identityToken !== undefined) options.onIdentityToken?.(body.identityToken);
  const lifetimeMs = (body.lifetimeSeconds - Math.min(earlySeconds, body.lifetimeSeconds / 4)) * 1000;
  return { header: bearerHeader(body.token, url), expiresAtMs: Date.now() + lifetimeMs };
}

function tokenRequest(
  realm: URL,
  known: Credentials | undefined,
  {
    service,
    scopes,
    userAgent,
    offline,
  }: { readonly service: string; readonly scopes: string[]; readonly userAgent: string; readonly offline: boolean },
): HttpRequest {
  const headers = { "user-agent": userAgent, accept: "application/json" };
  if (known?.identityToken !== undefined) {
    const fields = {
      grant_type: "refresh_token",
      service,
      client_id: "varve",
      scope: scopes.join(" "),
      refresh_token: known.identityToken,
    };
    const form = Buffer.from(new URLSearchParams(fields).toString());
    const body = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      yield form;
    };
    return {
      method: "POST",
      url: realm,
      headers: {
        ...headers,
        "content-type": "application/x-www-form-urlencoded",
        "content-length": String(form.length),
      },
      body,
    };
  }
  const url = new URL(realm);
  if (service !== "") url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  if (offline) {
    url.searchParams.set("client_id", "varve");
    url.searchParams.set("offline_token", "true");
    if (known?.username !== undefined) url.searchParams.set("account", known.username);
  }
  const basic = basicHeader(known);
  return {
    method: "GET",
    url,
    headers: basic === undefined ? headers : { ...headers, authorization: basic },
  };
}

async function readToken(answer: HttpAnswer, maxBytes: number): Promise<Uint8Array> {
  try {
    return await collectBytes(answer.read(), { maxBytes });
  } catch (error) {
    if (error instanceof VarveError && error.code === "CONTENT_TOO_LARGE") {
      throw new VarveError("REGISTRY_TOO_LARGE", `the token of ${answer.url.host} is larger than ${maxBytes} bytes`, {
        cause: error,
      });
    }
    throw error;
  }
}

function parseToken(bytes: Uint8Array, url: URL): { token: string; lifetimeSeconds: number; identityToken: string | undefined } {
  let body: unknown;
  try {
    body = JSON.parse(Buffer.from(bytes).toString());
  } catch (cause) {
    throw new VarveError("REGISTRY_PROTOCOL", `the token endpoint ${url.host} did not answer with JSON`, { cause });
  }
  const fields = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const token = [fields["token"], fields["access_token"]].find((value) => typeof value === "string" && value !== "");
  if (typeof token !== "string") throw new VarveError("REGISTRY_PROTOCOL", `the token endpoint ${url.host} gave no token`);
  const { expires_in: lifetime, refresh_token: lasting } = fields;
  return {
    token,
    identityToken: typeof lasting === "string" && lasting !== "" ? lasting : undefined,
    lifetimeSeconds: typeof lifetime === "number" && lifetime > 0 ? lifetime : defaultTokenSeconds,
  };
}

function bearerHeader(token: string, url: URL): string {
  if (!/^[\u0021-\u007e]+$/.test(token))
    throw new VarveError("REGISTRY_PROTOCOL", `the token for ${url.host} holds characters that no header may carry`);
  return `Bearer ${token}`;
}

function basicHeader(known: Credentials | undefined): string | undefined {
  if (known?.username === undefined || known.password === undefined) return undefined;
  return `Basic ${Buffer.from(`${known.username}:${known.password}`).toString("base64")}`;
}
