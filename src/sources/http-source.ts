import { hash } from "node:crypto";
import type { ContentStore } from "../content/index.ts";
import { isVarveError, redactUrl, VarveError } from "../errors/index.ts";
import { retry } from "../flow/index.ts";
import type { Digest } from "../oci/index.ts";
import type { State } from "../state/index.ts";
import type { HttpAnswer } from "../registry/index.ts";
import { createHttpTransport, getUrl, httpLimits, readBody, type HttpLimits, type HttpTransport } from "./http-fetch.ts";
import { fileNameOf, type HttpFileRequest } from "./http-request.ts";
import { readHeaderSecret, type ReadSecret } from "./secret.ts";

export const httpSchema = `
CREATE TABLE IF NOT EXISTS http_answers (
  request TEXT PRIMARY KEY, -- digest of the URL and of what was asked with it
  etag TEXT,                -- without W/
  modified TEXT,            -- Last-Modified, as the server wrote it
  date TEXT,                -- Date of the answer
  disposition TEXT,         -- Content-Disposition
  digest TEXT NOT NULL,     -- of the body, a blob
  size INTEGER NOT NULL
) WITHOUT ROWID;
`;

export interface HttpSourceOptions {
  readonly state: State;
  readonly content: ContentStore;
  readonly userAgent: string;
  readonly limits?: Partial<HttpLimits>;
  /** Variables like `HTTPS_PROXY` and `NO_PROXY`, where Node supports them. */
  readonly proxyEnv?: Readonly<Record<string, string>> | undefined;
}

/** A file that a URL stands for now. Its bytes are a blob of the content store. */
export interface HttpFile {
  readonly digest: Digest;
  readonly size: number;
  readonly filename: string;
  /** Seconds since 1970. */
  readonly modifiedSeconds: number | undefined;
}

export interface FetchStatus {
  readonly id: string;
  /** Bytes. */
  readonly current: number;
  /** 0 where the server does not say. */
  readonly total: number;
  readonly done: boolean;
}

export interface FetchOptions {
  readonly signal: AbortSignal;
  readonly secret?: ReadSecret | undefined;
  readonly onStatus?: ((status: FetchStatus) => void) | undefined;
}

/** Files behind URLs as sources of a build. */
export interface HttpSource {
  /**
   * Downloads a file, or asks the server whether the one of an earlier build still holds. A body with another hash than
   * the checksum is CONTENT_DIGEST_MISMATCH; with the right one in the store, nobody is asked.
   */
  fetch(request: HttpFileRequest, options: FetchOptions): Promise<HttpFile>;
  /** Digest of all that shows in the result (L54); without `file`, of what is known before it is fetched. */
  keyOf(request: HttpFileRequest, file: Pick<HttpFile, "digest" | "filename" | "modifiedSeconds">): string;
  /** Digests of the bodies that are remembered. */
  bodies(): readonly Digest[];
  close(): void;
}

interface Row {
  readonly etag: string | null;
  readonly modified: string | null;
  readonly date: string | null;
  readonly disposition: string | null;
  readonly digest: Digest;
  readonly size: number;
}

export function createHttpSource({ state, content, userAgent, proxyEnv, ...options }: HttpSourceOptions): HttpSource {
  const limits = { ...httpLimits, ...options.limits };
  let transport: HttpTransport | undefined;
  const rowKey = ({ url, headers, authHeaderSecret }: HttpFileRequest) =>
    hash("sha256", JSON.stringify([url, headers, authHeaderSecret ?? null]));

  async function recall(request: HttpFileRequest): Promise<Row | undefined> {
    const row = state.get<Row>(
      "SELECT etag, modified, date, disposition, digest, size FROM http_answers WHERE request = ?",
      rowKey(request),
    );
    return row !== undefined && (await content.has(row.digest)) ? row : undefined;
  }

  function remember(request: HttpFileRequest, row: Row): void {
    state.run(
      "INSERT OR REPLACE INTO http_answers (request, etag, modified, date, disposition, digest, size) VALUES (?, ?, ?, ?, ?, ?, ?)",
      ...([rowKey(request), row.etag, row.modified, row.date, row.disposition, row.digest, row.size] as const),
    );
  }

  async function ask(
    request: HttpFileRequest,
    before: Row | undefined,
    { signal, secret, onStatus }: FetchOptions,
  ): Promise<Row> {
    const { url } = request;
    transport ??= createHttpTransport(limits, proxyEnv);
    const headers = {
      "user-agent": userAgent,
      "accept-encoding": "gzip",
      ...Object.fromEntries(request.headers),
      ...conditions(before),
    };
    const answer = await getUrl(transport, url, {
      headers,
      authorization: await readAuthorization(request, secret),
      limits,
      signal,
    });
    const etag = header(answer.headers.etag)?.replace(/^W\//, "") ?? null;
    if (before !== undefined && (answer.status === 304 || (etag !== null && etag === before.etag))) {
      if (answer.status === 304) answer.discard();
      else await breakOff(answer);
      return before;
    }
    if (answer.status === 304)
      throw new VarveError("HTTP_FAILED", `${redactUrl(url)} answered 304 without being asked about an earlier answer`);
    const total = Number(answer.headers["content-length"] ?? 0) || 0;
    const onProgress = (current: number) => onStatus?.({ id: "downloading", current, total, done: false });
    const body = await content.ingest(readBody(answer), { signal, maxBytes: limits.maxBodyBytes, onProgress });
    onStatus?.({ id: "downloading", current: body.size, total: body.size, done: true });
    const { "last-modified": modified, date, "content-disposition": disposition } = answer.headers;
    const row = { etag, modified: header(modified), date: header(date), disposition: header(disposition), ...body };
    remember(request, row);
    return row;
  }

  return {
    async fetch(request, options) {
      const before = await recall(request);
      const { checksum, url } = request;
      if (before !== undefined && checksum === before.digest) return toFile(request, before);
      const row = await retry(() => ask(request, before, options), {
        signal: options.signal,
        attempts: limits.attempts,
        shouldRetry: (error) => isVarveError(error) && error.kind === "unavailable" && error.details["permanent"] !== true,
        delayMs: limits.retryDelayMs,
        maxDelayMs: limits.retryDelayMs * 8,
      });
      if (checksum !== undefined && row.digest !== checksum) {
        const details = { expected: checksum, found: row.digest };
        throw new VarveError(
          "CONTENT_DIGEST_MISMATCH",
          `digest mismatch for ${redactUrl(url)}: ${row.digest} (expected: ${checksum})`,
          { details },
        );
      }
      return toFile(request, row);
    },
    keyOf({ mode, uid, gid, authHeaderSecret, headers }, { digest, filename, modifiedSeconds }) {
      const key = {
        filename,
        mode,
        uid,
        gid,
        digest,
        modified: modifiedSeconds ?? null,
        authHeaderSecret: authHeaderSecret ?? null,
        headers,
      };
      return hash("sha256", JSON.stringify(["http", key]));
    },
    bodies: () => state.all<{ digest: Digest }>("SELECT DISTINCT digest FROM http_answers").map(({ digest }) => digest),
    close: () => transport?.close(),
  };
}

/** Ends an answer whose body is of no use: a server that ignores If-None-Match sends all of it. */
async function breakOff(answer: HttpAnswer): Promise<void> {
  const body = answer.read()[Symbol.asyncIterator]();
  await body.next();
  await body.return?.();
}

function toFile(request: HttpFileRequest, { digest, size, modified, disposition }: Row): HttpFile {
  return { digest, size, filename: fileNameOf(request, disposition ?? undefined), modifiedSeconds: readHttpTime(modified) };
}

/**
 * What makes an answer short when nothing changed. A time is only asked about where it is a strong validator: the answer
 * that carried it was a second or more younger. (RFC 9110, sections 8.8.2.2 and 13.1)
 */
function conditions(before: Row | undefined): Readonly<Record<string, string>> {
  if (before === undefined) return {};
  if (before.etag !== null) return { "if-none-match": before.etag };
  const [modified, date] = [readHttpTime(before.modified), readHttpTime(before.date)];
  if (before.modified === null || modified === undefined || date === undefined || date <= modified) return {};
  return { "if-modified-since": before.modified };
}

function header(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) || null;
}

/** An HTTP date in seconds since 1970. (RFC 9110, section 5.6.7) */
function readHttpTime(text: string | null): number | undefined {
  if (text === null || !/^[A-Z][a-z]{2}/.test(text)) return undefined;
  const time = Date.parse(text.endsWith("GMT") ? text : `${text} GMT`);
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
}

/** The secret that the graph names, or those that go by the host's name (C16); of two the token counts. */
async function readAuthorization(
  { url, authHeaderSecret }: HttpFileRequest,
  secret: ReadSecret | undefined,
): Promise<string | undefined> {
  if (authHeaderSecret !== undefined) {
    const named = await readHeaderSecret(secret, authHeaderSecret);
    if (named === undefined)
      throw new VarveError("HTTP_DENIED", `the build was given no secret ${authHeaderSecret}, which ${redactUrl(url)} wants`);
    return named;
  }
  const { hostname } = new URL(url);
  const token = await readHeaderSecret(secret, `HTTP_AUTH_TOKEN_${hostname}`);
  return token === undefined ? await readHeaderSecret(secret, `HTTP_AUTH_HEADER_${hostname}`) : `Bearer ${token}`;
}
