import { isVarveError, redactUrl, VarveError } from "../errors/index.ts";
import type { ByteSource } from "../flow/index.ts";
import { createTransport, registryLimits, type HttpAnswer, type Transport } from "../registry/index.ts";

/** Every bound on what a web server can make a build wait for or hold. */
export interface HttpLimits {
  readonly connectTimeoutMs: number;
  /** From the sent request until the head of the answer. */
  readonly headersTimeoutMs: number;
  /** Between two pieces of a body. */
  readonly idleTimeoutMs: number;
  /** Tries of one file in all. */
  readonly attempts: number;
  readonly retryDelayMs: number;
  readonly maxRedirects: number;
  /** A larger file is CONTENT_TOO_LARGE. */
  readonly maxBodyBytes: number;
}

export const httpLimits: HttpLimits = {
  connectTimeoutMs: 30_000,
  headersTimeoutMs: 60_000,
  idleTimeoutMs: 60_000,
  attempts: 3,
  retryDelayMs: 500,
  maxRedirects: 10,
  maxBodyBytes: 32 * 1024 ** 3,
};

export type HttpTransport = Pick<Transport, "send" | "close">;

/** `proxyEnv`: HTTPS_PROXY, HTTP_PROXY, NO_PROXY and their lower-case forms. */
export function createHttpTransport(limits: HttpLimits, proxyEnv: Readonly<Record<string, string>> | undefined): HttpTransport {
  return createTransport({ settings: {}, limits: { ...registryLimits, ...limits }, proxyEnv });
}

const redirects = new Set([301, 302, 303, 307, 308]);

/**
 * GETs a URL. Redirects are followed; the credentials go to the first origin only (its own, or those in the URL). The
 * answer is a success or a 304; everything else is an error that names the URL without its secrets.
 */
export async function getUrl(
  transport: HttpTransport,
  text: string,
  {
    headers,
    authorization,
    limits,
    signal,
  }: { headers: Readonly<Record<string, string>>; authorization: string | undefined; limits: HttpLimits; signal: AbortSignal },
): Promise<HttpAnswer> {
  if (!URL.canParse(text)) throw new VarveError("HTTP_REDIRECTS", `${JSON.stringify(text)} is no URL`);
  let url = new URL(text);
  let credentials = authorization;
  for (let hops = 0; ; hops += 1) {
    const { plain, own } = splitUserInfo(url);
    const authorizing = credentials ?? own;
    const request = {
      method: "GET" as const,
      url: plain,
      headers: { ...headers, ...(authorizing === undefined ? {} : { authorization: authorizing }) },
    };
    const answer = await sendOnce(transport, request, signal);
    if (!redirects.has(answer.status)) return requireSuccess(answer);
    answer.discard();
    const { location } = answer.headers;
    if (hops >= limits.maxRedirects)
      throw new VarveError("HTTP_REDIRECTS", `${redactUrl(text)} redirects more than ${limits.maxRedirects} times`);
    const next = location !== undefined && URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (next === undefined || !/^https?:$/.test(next.protocol)) {
      throw new VarveError(
        "HTTP_REDIRECTS",
        `${redactUrl(url.href)} redirects to "${redactUrl(location ?? "").slice(0, 200)}", which is no web address`,
      );
    }
    if (next.origin !== url.origin) credentials = undefined;
    else credentials = authorizing;
    url = next;
  }
}

async function sendOnce(
  transport: HttpTransport,
  request: Parameters<HttpTransport["send"]>[0],
  signal: AbortSignal,
): Promise<HttpAnswer> {
  try {
    return await transport.send(request, { signal });
  } catch (error) {
    throw toHttpFailure(error, request.url);
  }
}

/** The body as it was before the server compressed it for the way: Go's client, and so BuildKit, asks for gzip and undoes it. */
export async function* readBody(answer: HttpAnswer): ByteSource {
  try {
    const encoding = String(answer.headers["content-encoding"] ?? "identity")
      .trim()
      .toLowerCase();
    if (encoding === "gzip") yield* gunzip(answer.read());
    else yield* answer.read();
  } catch (error) {
    throw toHttpFailure(error, answer.url);
  }
}

async function* gunzip(source: ByteSource): AsyncGenerator<Uint8Array, void, undefined> {
  const [{ createGunzip }, { Readable, pipeline }] = await Promise.all([import("node:zlib"), import("node:stream")]);
  const output = pipeline(Readable.from(source), createGunzip(), () => undefined); // whoever iterates gets the error
  yield* output as AsyncIterable<Uint8Array>;
}

function splitUserInfo(url: URL): { readonly plain: URL; readonly own: string | undefined } {
  if (url.username === "" && url.password === "") return { plain: url, own: undefined };
  const plain = new URL(url);
  plain.username = "";
  plain.password = "";
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { plain, own: `Basic ${Buffer.from(pair).toString("base64")}` };
}

function requireSuccess(answer: HttpAnswer): HttpAnswer {
  const { status } = answer;
  if (status === 304 || (status >= 200 && status < 300)) return answer;
  answer.discard();
  const message = `invalid response status ${status} of ${redactUrl(answer.url.href)}`;
  const details = { status, permanent: status < 500 && status !== 429 && status !== 408 };
  if (status === 404 || status === 410) throw new VarveError("HTTP_NOT_FOUND", message, { details });
  if (status === 401 || status === 403) {
    const hint = `give credentials with --secret id=HTTP_AUTH_TOKEN_${answer.url.hostname} or HTTP_AUTH_HEADER_${answer.url.hostname}`;
    throw new VarveError("HTTP_DENIED", message, { details, hint });
  }
  throw new VarveError("HTTP_FAILED", message, { details });
}

/** The transport is the registry client's, and its failures talk of registries. */
function toHttpFailure(error: unknown, url: URL): unknown {
  if (isVarveError(error)) {
    if (error.code !== "REGISTRY_UNREACHABLE" && error.code !== "TIMED_OUT") return error;
    return new VarveError("HTTP_FAILED", `${redactUrl(url.href)}: ${error.message}`, { cause: error, details: error.details });
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (!code.startsWith("Z_")) return error;
  return new VarveError("HTTP_FAILED", `${redactUrl(url.href)}: the compressed answer is damaged`, {
    cause: error,
    details: { permanent: true },
  });
}
