import { VarveError } from "../errors/index.ts";
import { familiarName, type ImageReference } from "../oci/index.ts";
import type { Endpoint } from "./endpoints.ts";
import type { RegistryLimits } from "./limits.ts";
import { readPages } from "./pages.ts";
import type { Session } from "./session.ts";

const tagPattern = /^\w[\w.-]{0,127}$/;

/** All tags of a repository, in the registry's order. (OCI distribution-spec, "Listing Tags") */
export async function readTags(
  session: Session,
  endpoint: Endpoint,
  ref: ImageReference,
  options: { readonly signal: AbortSignal; readonly limits: RegistryLimits },
): Promise<readonly string[]> {
  const tags = new Set<string>();
  const request = {
    method: "GET" as const,
    target: `${ref.path}/tags/list`,
    headers: { accept: "application/json" },
    scope: `repository:${ref.path}:pull`,
    subject: { ref, purpose: "pull" as const },
  };
  for await (const { body } of readPages(session, endpoint, request, { ...options, what: "tags", ref })) {
    const listed = typeof body === "object" && body !== null ? (body as { tags?: unknown }).tags : undefined;
    // A repository without tags has the list null.
    if (listed !== null && !(Array.isArray(listed) && listed.every((tag) => typeof tag === "string" && tagPattern.test(tag))))
      throw new VarveError("REGISTRY_PROTOCOL", `${endpoint.host} answered no list of tags of ${familiarName(ref)}`);
    for (const tag of (listed ?? []) as string[]) tags.add(tag);
  }
  return [...tags];
}
