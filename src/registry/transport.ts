import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { SecureContextOptions } from "node:tls";
import { VarveError } from "../errors/index.ts";
import { reasonOf, withDeadline, type ByteSource, type Deadline } from "../flow/index.ts";
import type { RegistryHostConfig } from "./endpoints.ts";
import { networkFailure } from "./failures.ts";
import type { RegistryLimits } from "./limits.ts";

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Opened once for each try. Its length must be said in `content-length`. */
  readonly body?: (() => ByteSource) | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly url: URL;
  /** The body, once. Every answer is either read to its end or discarded. */
  read(): ByteSource;
  discard(): void;
}

/** Sends requests with one set of TLS settings over connections that are kept. */
export interface Transport {
  send(request: HttpRequest, options: { signal: AbortSignal }): Promise<HttpAnswer>;
  /** Ends idle and busy connections. */
  close(): void;
}

export interface TransportOptions {
  readonly settings: RegistryHostConfig;
  readonly limits: RegistryLimits;
  /** Variables like `HTTPS_PROXY` and `NO_PROXY`, where Node supports them. */
  readonly proxyEnv?: Readonly<Record<string, string>> | undefined;
}

export function createTransport(options: TransportOptions): Transport {
  const { limits } = options;
  const agents = new Map<string, Promise<Agent>>();
  const agentFor = (protocol: string): Promise<Agent> => {
    const found = agents.get(protocol);
    if (found !== undefined) return found;
    const made = makeAgent(protocol, options);
    agents.set(protocol, made);
    made.catch(() => agents.delete(protocol));
    return made;
  };
  return {
    async send(request, { signal }) {
      const { url } = request;
      const agent = await agentFor(url.protocol);
      const http = url.protocol === "https:" ? await import("node:https") : await import("node:http");
      const deadline = withDeadline(signal, limits.connectTimeoutMs, {
        what: `connecting to ${url.host}`,
      });
      try {
        deadline.signal.throwIfAborted();
        const sent = http.request(url, { method: request.method, headers: request.headers, agent });
        const message = await answerTo(sent, request, deadline, limits);
        return toAnswer(message, request, signal, limits);
      } catch (error) {
        if (signal.aborted) throw reasonOf(signal);
        throw networkFailure(error, url);
      } finally {
        deadline.end();
      }
    },
    close() {
      for (const agent of agents.values()) void agent.then((made) => made.destroy(), ignoreFailure);
    },
  };
}

async function makeAgent(protocol: string, { settings, proxyEnv }: TransportOptions): Promise<Agent> {
  const shared = {
    keepAlive: true,
    ...(proxyEnv === undefined ? {} : { proxyEnv: { ...proxyEnv } }),
  };
  if (protocol === "http:") {
    const http = await import("node:http");
    return new http.Agent(shared);
  }
  const [https, tls] = [await import("node:https"), await import("node:tls")];
  // Both lists, because users' certificates stand in the system's, and minimal systems have none.
  const trusted = new Set([
    ...tls.getCACertificates("default"),
    ...tls.getCACertificates("system"),
    ...(await readPem(settings.ca ?? [])),
  ]);
  const context: SecureContextOptions = { ca: [...trusted] };
  const [pair] = settings.keypair ?? [];
  if (pair !== undefined) [context.cert, context.key] = await readPem([pair.cert, pair.key]);
  // One context for all connections: to read the certificates again for each would cost more than the handshake.
  return new https.Agent({
    ...shared,
    secureContext: tls.createSecureContext(context),
    rejectUnauthorized: settings.insecure !== true,
  });
}

async function readPem(paths: readonly string[]): Promise<string[]> {
  const { readFile } = await import("node:fs/promises");
  const read = async (path: string): Promise<string> => {
    try {
      return await readFile(path, "utf8");
    } catch (cause) {
      throw new VarveError("REGISTRY_CONFIG", `cannot read the certificate file ${path}`, {
        cause,
      });
    }
  };
  return await Promise.all(paths.map(read));
}

/** Sends a request's body and waits for the head of the answer; an answer that comes before the body's end stops the body. */
async function answerTo(
  sent: ClientRequest,
  request: HttpRequest,
  deadline: Deadline,
  limits: RegistryLimits,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  let answered = false;
  const onAbort = (): void => void sent.destroy(toError(reasonOf(deadline.signal)));
  deadline.signal.addEventListener("abort", onAbort, { once: true });
  sent.on("error", reject);
  sent.on("response", (message) => {
    answered = true;
    // After an answer that came too early for the body, the connection is of no more use.
    message.once("end", () => {
      if (!sent.writableEnded) sent.destroy();
    });
    resolve(message);
  });
  const connected = (): void => deadline.restart(limits.headersTimeoutMs, `waiting for the answer of ${request.url.host}`);
  sent.on("socket", (socket) => {
    if (!socket.connecting) connected();
    else socket.once(request.url.protocol === "https:" ? "secureConnect" : "connect", connected);
  });
  const finish = async (): Promise<void> => {
    for await (const chunk of request.body?.() ?? []) {
      if (answered || sent.destroyed) return;
      deadline.restart(limits.idleTimeoutMs, `sending to ${request.url.host}`);
      if (!sent.write(chunk)) await drained(sent);
    }
    if (request.body !== undefined)
      deadline.restart(limits.uploadAnswerTimeoutMs, `waiting for ${request.url.host} to take the upload`);
    sent.end();
  };
  try {
    await Promise.all([
      promise,
      finish().catch((error: unknown) => {
        if (!answered) sent.destroy(toError(error));
      }),
    ]);
    return await promise;
  } finally {
    deadline.signal.removeEventListener("abort", onAbort);
  }
}

/** Settles when more can be written, or nothing more will be. */
function drained(sent: ClientRequest): Promise<void> {
  const events = ["drain", "close", "response"];
  return new Promise((resolve) => {
    const settle = (): void => {
      for (const event of events) sent.off(event, settle);
      resolve();
    };
    for (const event of events) sent.on(event, settle);
  });
}

function toAnswer(
  message: IncomingMessage,
  { method, url }: HttpRequest,
  signal: AbortSignal,
  limits: RegistryLimits,
): HttpAnswer {
  // A connection that breaks while nobody reads must not end the process; whoever reads gets the error again.
  message.on("error", () => undefined);
  return {
    status: message.statusCode ?? 0,
    headers: message.headers,
    url,
    read: () => readBody(message, url, signal, limits),
    discard() {
      // HEAD tells a length but has no body.
      if (method === "HEAD") message.resume();
      else drain(message, limits);
    },
  };
}

const maxDrainedBytes = 64 * 1024;

/** A short rest is read, so that the connection can be used again; one that is long or slow costs more than a new one. */
function drain(message: IncomingMessage, { idleTimeoutMs }: RegistryLimits): void {
  let bytes = 0;
  const timer = setTimeout(() => message.destroy(), Math.min(idleTimeoutMs, 1000));
  message.once("close", () => clearTimeout(timer));
  message.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxDrainedBytes) message.destroy();
  });
}

async function* readBody(
  message: IncomingMessage,
  url: URL,
  signal: AbortSignal,
  { idleTimeoutMs, minProgressBytes }: RegistryLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  const onAbort = (): void => void message.destroy(toError(reasonOf(signal)));
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  const chunks = (message as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let timer: NodeJS.Timeout | undefined;
  let leftMs = idleTimeoutMs;
  let progressBytes = 0;
  const onIdle = (): void => {
    const sent = progressBytes === 0 ? "nothing" : `no more than ${progressBytes} bytes`;
    message.destroy(new VarveError("TIMED_OUT", `${url.host} sent ${sent} for ${idleTimeoutMs / 1000} s`));
  };
  try {
    for (;;) {
      // The clock runs only while the network is waited for, not while the reader works.
      const started = performance.now();
      timer = setTimeout(onIdle, leftMs);
      const next = await chunks.next();
      clearTimeout(timer);
      if (next.done === true) return;
      progressBytes += next.value.length;
      // A byte now and then is no progress: it would hold the reader for ever.
      if (progressBytes >= minProgressBytes) [leftMs, progressBytes] = [idleTimeoutMs, 0];
      else leftMs = Math.max(1, leftMs - (performance.now() - started));
      yield next.value;
    }
  } catch (error) {
    if (signal.aborted) throw reasonOf(signal);
    throw networkFailure(error, url);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    if (!message.complete) message.destroy();
  }
}

/** Who wanted the agent has been told. */
function ignoreFailure(): void {}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new VarveError("CANCELED", "the work was canceled", { cause: reason });
}
