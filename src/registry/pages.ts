import { isVarveError, VarveError } from "../errors/index.ts";
import { collectBytes } from "../flow/index.ts";
import { familiarName, type ImageReference } from "../oci/index.ts";
import type { Endpoint } from "./endpoints.ts";
import type { RegistryLimits } from "./limits.ts";
import type { ApiRequest, Session } from "./session.ts";
import type { HttpAnswer } from "./transport.ts";

export interface PageOptions {
  readonly signal: AbortSignal;
  readonly limits: RegistryLimits;
  /** Names the list in messages: `tags`, `referrers`. */
  readonly what: string;
  readonly ref: ImageReference;
}

export interface Page {
  readonly answer: HttpAnswer;
  /** The parsed body; undefined where the answer has an expected status that is no success. */
  readonly body: unknown;
}

/** The pages of a list, one after another, as `Link: <…>; rel="next"` leads on. (OCI distribution-spec, "Listing Tags") */
export async function* readPages(
  session: Session,
  endpoint: Endpoint,
  first: ApiRequest,
  options: PageOptions,
): AsyncGenerator<Page, void, undefined> {
  const { signal, limits, what, ref } = options;
  let request = first;
  for (let count = 1; ; count += 1) {
    const answer = await session.exchange(endpoint, request, { signal });
    if (answer.status < 200 || answer.status > 299) {
      answer.discard();
      return yield { answer, body: undefined };
    }
    yield { answer, body: await readJson(answer, options) };
    const next = nextPage(answer);
    if (next === undefined) return;
    if (count === limits.maxPages)
      throw new VarveError(
        "REGISTRY_TOO_LARGE",
        `the list of ${what} of ${familiarName(ref)} has more than ${limits.maxPages} pages`,
      );
    const { query: _, ...again } = first;
    request = { ...again, target: next };
  }
}

async function readJson(answer: HttpAnswer, { limits, what, ref }: PageOptions): Promise<unknown> {
  try {
    const bytes = await collectBytes(answer.read(), { maxBytes: limits.maxManifestBytes });
    return JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new VarveError("REGISTRY_PROTOCOL", `${answer.url.host} answered no JSON for the ${what} of ${familiarName(ref)}`);
    if (isVarveError(error) && error.code === "CONTENT_TOO_LARGE") {
      throw new VarveError(
        "REGISTRY_TOO_LARGE",
        `the list of ${what} of ${familiarName(ref)} is larger than ${limits.maxManifestBytes} bytes`,
        { cause: error },
      );
    }
    throw error;
  }
}

/** Only of the same registry: credentials go with it. */
function nextPage({ headers, url }: HttpAnswer): URL | undefined {
  const link = Array.isArray(headers["link"]) ? headers["link"].join(",") : headers["link"];
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(link ?? "")?.[1];
  if (target === undefined || !URL.canParse(target, url.href)) return undefined;
  const next = new URL(target, url);
  return next.origin === url.origin ? next : undefined;
}
