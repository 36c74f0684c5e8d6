import { VarveError } from "../errors/index.ts";
import type { RegistryLimits } from "../registry/index.ts";

type Limit = keyof RegistryLimits;

/** Settings of `[transfers]`, what they bound, and whether they are durations or numbers. */
const settings: Readonly<Record<string, { readonly limit: Limit; readonly kind: "duration" | "count" }>> = {
  connectTimeout: { limit: "connectTimeoutMs", kind: "duration" },
  answerTimeout: { limit: "headersTimeoutMs", kind: "duration" },
  idleTimeout: { limit: "idleTimeoutMs", kind: "duration" },
  uploadTimeout: { limit: "uploadAnswerTimeoutMs", kind: "duration" },
  maxRetryDelay: { limit: "maxRetryDelayMs", kind: "duration" },
  attempts: { limit: "attempts", kind: "count" },
  parallelUploads: { limit: "parallelUploads", kind: "count" },
};

/** `[transfers]` of varve.toml: how long registries are waited for, and how often they are asked. `where` names it in messages. */
export function readTransfers(
  value: unknown,
  where: string,
  readDurationMs: (value: unknown) => number | undefined,
): Partial<RegistryLimits> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new VarveError("CONFIG_INVALID", `${where} is not a table`);
  const limits: Partial<Record<Limit, number>> = {};
  for (const [name, text] of Object.entries(value)) {
    const setting = Object.hasOwn(settings, name) ? settings[name] : undefined;
    if (setting === undefined) {
      throw new VarveError("CONFIG_INVALID", `${where}: unknown setting "${name}"`, {
        hint: `known: ${Object.keys(settings).join(", ")}`,
      });
    }
    limits[setting.limit] = setting.kind === "count" ? readCount(text, `${where}.${name}`) : duration(text, `${where}.${name}`);
  }
  return limits;

  function duration(text: unknown, place: string): number {
    const durationMs = readDurationMs(text);
    if (durationMs === undefined || durationMs < 1)
      throw new VarveError("CONFIG_INVALID", `${place} is neither seconds nor a text like "30s"`);
    return durationMs;
  }
}

function readCount(value: unknown, place: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 100) return value;
  throw new VarveError("CONFIG_INVALID", `${place} is not a number from 1 to 100`);
}
