import { isVarveError, redactUrl, VarveError } from "../errors/index.ts";
import { retry } from "../flow/index.ts";
import { createAuthorizer } from "./authorizer.ts";
import type { CredentialSource } from "./credentials.ts";
import type { Endpoint, RegistryHostConfig } from "./endpoints.ts";
import { isPassing, retryAfterMs, statusFailure, type Subject } from "./failures.ts";
import type { RegistryLimits } from "./limits.ts";
import { createTransport, type HttpAnswer, type HttpRequest, type Transport } from "./transport.ts";

/** One request to a registry's API. */
export interface ApiRequest {
  readonly method: HttpRequest["method"];
  /** Below the endpoint's root, e.g. `library/alpine/manifests/latest`, or a whole URL that the registry gave. */
  readonly target: string | URL;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpRequest["body"];
  /** `repository:library/alpine:pull`. */
  readonly scope: string;
  readonly subject: Subject;
  /** Statuses besides 2xx that the caller deals with. */
  readonly expects?: readonly number[];
}

export interface Session {
  /** Sends with authorization, redirects and retries. Resolves with a success or an expected status, else throws. */
  exchange(endpoint: Endpoint, request: ApiRequest, options: { signal: AbortSignal; attempts?: number }): Promise<HttpAnswer>;
  close(): void;
}

export interface SessionOptions {
  readonly credentials: CredentialSource;
  readonly userAgent: string;
  readonly limits: RegistryLimits;
  readonly proxyEnv?: Readonly<Record<string, string>> | undefined;
  /** The settings of a host, where there are some. */
  readonly settingsOf: (host: string) => RegistryHostConfig | undefined;
  /** Asks token servers for a lasting token too, and hears it. */
  readonly onIdentityToken?: (token: string) => void;
}

const redirects = new Set([301, 302, 303, 307, 308]);
/** Only these keep a request's method and body. (RFC 9110, section 15.4) */
const keepingRedirects = new Set([307, 308]);

/** Connections, tokens and learned schemes, shared by every request of a client. */
export function createSession(options: SessionOptions): Session {
  const { limits, userAgent } = options;
  const authorizer = createAuthorizer(options);
  const transports = new Map<string, Transport>();
  const schemes = new Map<string, "https" | "http">();

  const transportFor = (key: string, settings: RegistryHostConfig): Transport => {
    const found = transports.get(key) ?? createTransport({ settings, limits, proxyEnv: options.proxyEnv });
    transports.set(key, found);
    return found;
  };
  /** For the endpoint itself, or for another host that it sends to: that one never sees the client's certificate. */
  const transportOf = (endpoint: Endpoint, { host }: URL): Transport => {
    if (host === endpoint.host) return transportFor(endpoint.host, endpoint.settings);
    const { ca, insecure } = endpoint.settings;
    const inherited = { ...(ca === undefined ? {} : { ca }), ...(insecure === undefined ? {} : { insecure }) };
    return transportFor(`${endpoint.host} ${host}`, options.settingsOf(host) ?? inherited);
  };

  /** Requests go where they are sent, without credentials when that is another origin. */
  const follow = async (endpoint: Endpoint, first: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> => {
    const followed = first.method === "GET" || first.method === "HEAD" ? redirects : keepingRedirects;
    let request = first;
    for (let hops = 0; ; hops += 1) {
      const answer = await transportOf(endpoint, request.url).send(request, { signal });
      const { location } = answer.headers;
      if (!followed.has(answer.status)) return answer;
      answer.discard();
      if (hops >= limits.maxRedirects)
        throw new VarveError("REGISTRY_PROTOCOL", `${first.url.host} redirected more than ${limits.maxRedirects} times`);
      const next =
        location !== undefined && URL.canParse(location, request.url.href) ? new URL(location, request.url) : undefined;
      if (next === undefined || !/^https?:$/.test(next.protocol)) {
        throw new VarveError(
          "REGISTRY_PROTOCOL",
          `${request.url.host} redirected to "${redactUrl(location ?? "").slice(0, 200)}", which is no web address`,
        );
      }
      refusePlainUpload(request.url.protocol, next, first);
      const { authorization, ...open } = request.headers;
      const same = next.origin === request.url.origin && authorization !== undefined;
      request = { ...request, url: next, headers: same ? { ...open, authorization } : open };
    }
  };

  const attempt = async (
    endpoint: Endpoint,
    scheme: "https" | "http",
    api: ApiRequest,
    signal: AbortSignal,
  ): Promise<HttpAnswer> => {
    const url = urlOf(endpoint, scheme, api);
    // An upload may be sent elsewhere; credentials are for the registry only.
    refusePlainUpload(`${scheme}:`, url, api);
    const own = url.origin === new URL(`${scheme}://${endpoint.host}`).origin;
    const requestWith = (authorization: string | undefined): HttpRequest => ({
      method: api.method,
      url,
      body: api.body,
      headers: {
        "user-agent": userAgent,
        "accept-encoding": "identity",
        ...api.headers,
        ...(authorization === undefined ? {} : { authorization }),
      },
    });
    const answer = await follow(endpoint, requestWith(own ? authorizer.known(endpoint.host, api.scope) : undefined), signal);
    if (answer.status !== 401 || !own || answer.url.origin !== url.origin) return answer;
    answer.discard();
    const authorization = await authorizer.answer(answer, {
      host: endpoint.host,
      scope: api.scope,
      subject: api.subject,
      transportTo: (to) => transportOf(endpoint, to),
      signal,
    });
    return await follow(endpoint, requestWith(authorization), signal);
  };

  /** Tries the endpoint's schemes until one is spoken there, and remembers it. */
  const speak = async (endpoint: Endpoint, api: ApiRequest, signal: AbortSignal): Promise<HttpAnswer> => {
    const [first = "https", second] = endpoint.schemes;
    const scheme = schemes.get(endpoint.host) ?? first;
    try {
      return await attempt(endpoint, scheme, api, signal);
    } catch (error) {
      if (second === undefined || scheme === second || signal.aborted || !isWithoutTls(error, endpoint.host)) throw error;
      const answer = await attempt(endpoint, second, api, signal);
      schemes.set(endpoint.host, second);
      return answer;
    }
  };

  return {
    async exchange(endpoint, api, { signal, attempts = limits.attempts }) {
      const once = async (): Promise<HttpAnswer> => {
        const answer = await speak(endpoint, api, signal);
        if ((answer.status >= 200 && answer.status < 300) || api.expects?.includes(answer.status) === true) return answer;
        throw await statusFailure(answer, api.method, api.subject);
      };
      return await retry(once, {
        signal,
        attempts,
        shouldRetry: isPassing,
        delayMs: limits.retryDelayMs,
        maxDelayMs: limits.maxRetryDelayMs,
        pauseMs: retryAfterMs,
      });
    },
    close() {
      for (const transport of transports.values()) transport.close();
    },
  };
}

function urlOf(endpoint: Endpoint, scheme: string, api: ApiRequest): URL {
  const url =
    api.target instanceof URL ? new URL(api.target) : new URL(`${scheme}://${endpoint.host}${endpoint.root}/${api.target}`);
  // A mirror of several registries is told whose image it is, as containerd does.
  if (endpoint.mirror) url.searchParams.set("ns", endpoint.namespace);
  for (const [name, value] of Object.entries(api.query ?? {})) url.searchParams.set(name, value);
  return url;
}

/** What a registry takes over TLS is not sent on in the clear because it says so. */
function refusePlainUpload(from: string, to: URL, { body }: Pick<HttpRequest, "body">): void {
  if (body === undefined || from !== "https:" || to.protocol === "https:") return;
  throw new VarveError(
    "REGISTRY_PROTOCOL",
    `an upload over TLS is sent on to ${to.host} without encryption; it does not go there`,
    {
      hint: "a registry behind a proxy that ends TLS must know its own address",
    },
  );
}

/** True for what a server without TLS does to a handshake. A refused port of its own is no such sign. */
function isWithoutTls(error: unknown, host: string): boolean {
  if (!isVarveError(error)) return false;
  if (error.code === "TIMED_OUT") return true;
  const errno = error.details["errno"];
  return errno === "EPROTO" || errno === "ECONNRESET" || (errno === "ECONNREFUSED" && !/:\d+$/.test(host));
}
