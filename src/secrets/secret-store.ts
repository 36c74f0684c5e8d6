import { VarveError } from "../errors/index.ts";

/** A secret's value, or how to get it: asked for at most once in a build, and only when a step needs it. */
export type SecretSource = string | Uint8Array | (() => Promise<string | Uint8Array>);

export interface SecretStore {
  /** The value; undefined when the build was given none of that id. Fails with SECRET_TOO_LARGE, and as its source fails. */
  get(id: string): Promise<Uint8Array | undefined>;
}

/** BuildKit's limit for one secret: 500 KiB. */
export const maxSecretBytes = 500 * 1024;

/** The secrets of one build (R04). */
export function createSecretStore(sources: Readonly<Record<string, SecretSource>>): SecretStore {
  const values = new Map<string, Promise<Uint8Array>>();
  return {
    async get(id) {
      if (!Object.hasOwn(sources, id)) return undefined;
      let value = values.get(id);
      if (value === undefined) {
        value = readSecret(id, sources[id] ?? "");
        values.set(id, value);
      }
      return value;
    },
  };
}

async function readSecret(id: string, source: SecretSource): Promise<Uint8Array> {
  const given = typeof source === "function" ? await source() : source;
  const bytes = typeof given === "string" ? Buffer.from(given) : given;
  if (bytes.length <= maxSecretBytes) return bytes;
  throw new VarveError("SECRET_TOO_LARGE", `secret ${id} too big. max size 500KiB`, {
    details: { id, maxBytes: maxSecretBytes },
  });
}
