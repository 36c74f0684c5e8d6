import { rootCauses, type ExplainedStep } from "../explain/index.ts";
import type { Parts } from "./parts.ts";
import type { BuildExplanation, RecordedStep } from "./types.ts";

/** What the record of a build tells of its steps. Takes what `History.resolve` takes; fails as that does. */
export async function explainRecord(
  { history }: Pick<Parts, "history">,
  name: string | undefined,
  { signal }: { readonly signal: AbortSignal },
): Promise<BuildExplanation> {
  const { ref, status } = await history.get(name);
  const steps = new Map<string, RecordedStep>();
  for await (const event of history.events(ref, { signal })) {
    // what is no step of the graph has neither a reason nor a word on the cache
    if (event.type !== "vertex" || event.started === undefined) continue;
    const { vertex, name: title, reason, cached, error } = event;
    if (reason === undefined && cached !== true && !steps.has(vertex)) continue;
    const outcome =
      error !== undefined ? "failed" : cached === true ? "cached" : event.completed === undefined ? "unfinished" : "ran";
    const known = steps.get(vertex);
    if (known !== undefined && known.outcome !== "unfinished" && reason === undefined) continue;
    const why = reason ?? known?.reason;
    steps.set(vertex, { vertex, name: title, outcome, ...(why === undefined ? {} : { reason: why }) });
  }
  const all = [...steps.values()];
  const explained = all.filter((step): step is RecordedStep & ExplainedStep => step.reason !== undefined);
  return { ref, status, steps: all, roots: rootCauses(explained) };
}
