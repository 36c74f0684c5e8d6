import { VarveError } from "../../errors/index.ts";
import { readImageFilters } from "../store-filters.ts";

/** The `--filter` flags of `container prune`: `until` becomes milliseconds since 1970. */
export function readPruneFilters(texts: readonly string[], nowMs: number): Readonly<Record<string, readonly string[]>> {
  const { createdBeforeMs, labels, dangling } = readImageFilters(texts, nowMs);
  if (dangling !== undefined) throw new VarveError("FILTER_INVALID", "invalid filter 'dangling'");
  const textOf = ({ key, value }: { readonly key: string; readonly value?: string }): string =>
    value === undefined ? key : `${key}=${value}`;
  return {
    ...(createdBeforeMs === undefined ? {} : { until: [String(createdBeforeMs)] }),
    label: labels.filter(({ not }) => !not).map(textOf),
    "label!": labels.filter(({ not }) => not).map(textOf),
  };
}
