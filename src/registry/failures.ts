import { isVarveError, redactUrl, VarveError } from "../errors/index.ts";
import { collectBytes } from "../flow/index.ts";
import { digestHex, familiarName, familiarReference, type Digest, type ImageReference } from "../oci/index.ts";
import type { HttpAnswer } from "./transport.ts";

/** What a request is about, for the messages. */
export interface Subject {
  readonly ref: ImageReference;
  readonly purpose: "pull" | "push" | "login";
  readonly blob?: Digest;
}

const maxErrorBytes = 64 * 1024;
const permanentErrnos = new Set(["ENOTFOUND", "ECONNREFUSED", "ERR_INVALID_URL", "ERR_INVALID_CHAR", "ERR_UNESCAPED_CHARACTERS"]);

/** A failure below HTTP. `details.permanent` is true where trying again cannot help. */
export function networkFailure(error: unknown, url: URL): unknown {
  if (isVarveError(error) || !(error instanceof Error)) return error;
  // A host with several addresses fails with all their errors in one.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const errno = first instanceof Error && "code" in first ? String(first.code) : "";
  const reason = errno === "ECONNRESET" ? "the connection broke off" : first instanceof Error ? first.message : error.message;
  const certificate = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(errno);
  const hint = certificate
    ? `trust its certificate with ca = ["file.pem"] under [registry."${url.host}"] in varve.toml`
    : errno === "EPROTO"
      ? `if the registry speaks plain HTTP, say so with http = true under [registry."${url.host}"] in varve.toml`
      : undefined;
  return new VarveError("REGISTRY_UNREACHABLE", `could not talk to ${url.host}: ${reason}`, {
    cause: error,
    details: {
      host: url.host,
      errno,
      permanent: certificate || errno === "EPROTO" || permanentErrnos.has(errno),
    },
    ...(hint === undefined ? {} : { hint }),
  });
}

/** True where the same request may succeed later. */
export function isPassing(error: unknown): boolean {
  return isVarveError(error) && error.kind === "unavailable" && error.details["permanent"] !== true;
}

/** The pause that a `Retry-After` asks for. (RFC 9110, section 10.2.3) */
export function retryAfterMs(error: unknown): number | undefined {
  const value = isVarveError(error) ? error.details["retryAfterMs"] : undefined;
  return typeof value === "number" ? value : undefined;
}

/** An answer with a status that is no success, as an error in Docker's words. Reads the answer. */
export async function statusFailure(answer: HttpAnswer, method: string, subject: Subject): Promise<VarveError> {
  const { status } = answer;
  const said = await readServerMessage(answer);
  const details = { status, host: answer.url.host, ...(said === undefined ? {} : { said }) };
  const tail = said === undefined ? "" : `: ${said}`;
  const name = subject.purpose === "login" ? "" : familiarName(subject.ref);
  if (status === 401 || status === 403) return deniedFailure(subject, details, tail);
  if (status === 404 && subject.purpose !== "login") {
    const missing =
      subject.blob === undefined ? `manifest for ${familiarReference(subject.ref)}` : `blob ${shorten(subject.blob)} of ${name}`;
    if (subject.purpose === "push")
      return new VarveError("REGISTRY_NOT_FOUND", `the registry has no place for ${name}${tail}`, {
        details,
      });
    return new VarveError("REGISTRY_NOT_FOUND", `${missing} not found${tail}`, {
      details,
      hint: "check the name and the tag",
    });
  }
  if (status === 429) {
    const hint = "wait, or log in: registries allow more to known users";
    return new VarveError(
      "REGISTRY_LIMITED",
      `${answer.url.host} takes no more requests${name === "" ? "" : ` for ${name}`}${tail}`,
      {
        hint,
        details: { ...details, ...retryAfter(answer) },
      },
    );
  }
  const what = `${answer.url.host} answered ${status} to ${method} ${redactUrl(answer.url.toString())}${tail}`;
  if (status >= 500 || status === 408)
    return new VarveError("REGISTRY_UNREACHABLE", what, {
      details: { ...details, ...retryAfter(answer) },
    });
  return new VarveError("REGISTRY_PROTOCOL", what, { details });
}

/** The registry wants other credentials, or none will do. */
export function deniedFailure(subject: Subject, details: Readonly<Record<string, unknown>>, tail = ""): VarveError {
  const { ref, purpose } = subject;
  if (purpose === "login") {
    return new VarveError(
      "REGISTRY_DENIED",
      `login attempt to ${ref.domain} failed: it refuses the user name or the password${tail}`,
      {
        details,
      },
    );
  }
  const why =
    purpose === "pull"
      ? "repository does not exist or may require authorization"
      : "the repository or its registry refuses the credentials";
  const login = ref.domain === "docker.io" ? "varve login" : `varve login ${ref.domain}`;
  return new VarveError("REGISTRY_DENIED", `${purpose} access denied for ${familiarName(ref)}, ${why}${tail}`, {
    hint: `check the name, or log in with ${login}`,
    details,
  });
}

/** What `{"errors": [{"code", "message"}]}` says, on one line and shortened. (OCI distribution-spec, "Error Codes") */
async function readServerMessage(answer: HttpAnswer): Promise<string | undefined> {
  let text: string;
  try {
    text = Buffer.from(await collectBytes(answer.read(), { maxBytes: maxErrorBytes })).toString();
  } catch (error) {
    // The status tells enough when the explanation is too long or breaks off.
    if (isVarveError(error) && error.code !== "CANCELED") return undefined;
    throw error;
  }
  try {
    const body = JSON.parse(text) as {
      errors?: { code?: unknown; message?: unknown }[];
      details?: unknown;
    } | null;
    const [first] = body?.errors ?? [];
    const parts = [first?.code, first?.message ?? body?.details].filter((part) => typeof part === "string" && part !== "");
    const line = parts.join(": ").replace(/\s+/g, " ");
    return line === "" ? undefined : line.slice(0, 300).toWellFormed();
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

function retryAfter(answer: HttpAnswer): { retryAfterMs?: number } {
  const value = answer.headers["retry-after"];
  if (value === undefined) return {};
  const waitMs = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(waitMs) ? { retryAfterMs: Math.max(0, waitMs) } : {};
}

function shorten(digest: Digest): string {
  return `sha256:${digestHex(digest).slice(0, 12)}`;
}
