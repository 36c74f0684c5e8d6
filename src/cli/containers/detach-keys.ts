import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { VarveError } from "../../errors/index.ts";

/** `ctrl-p,ctrl-q`, as bytes. */
const defaultKeys = [0x10, 0x11];

/**
 * The bytes that let go of a container: of `--detach-keys`, of `detachKeys` in Docker's config.json, or Docker's own. `a` is a key,
 * `ctrl-a` one with control; several are separated by commas. Fails with USAGE for what is no key.
 */
export async function readDetachKeys(flag: string | undefined, dockerConfigDir: string | undefined): Promise<readonly number[]> {
  const text = flag ?? (dockerConfigDir === undefined ? undefined : await configured(dockerConfigDir)) ?? "";
  if (text === "") return defaultKeys;
  return text.split(",").map((key) => {
    const [, letter] = /^ctrl-([a-z@[\\\]^_])$/i.exec(key) ?? [];
    if (letter !== undefined) return letter.toUpperCase().charCodeAt(0) & 0x1f;
    if (key.length === 1 && key.charCodeAt(0) < 0x80) return key.charCodeAt(0);
    throw new VarveError("USAGE", `invalid detach keys (${text}) provided`, {
      hint: "keys are single characters and ctrl-a … ctrl-z, ctrl-@, ctrl-[, ctrl-\\, ctrl-], ctrl-^ and ctrl-_, with commas between them",
    });
  });
}

async function configured(dockerConfigDir: string): Promise<string | undefined> {
  try {
    const config: unknown = JSON.parse(await readFile(join(dockerConfigDir, "config.json"), "utf8"));
    if (typeof config !== "object" || config === null || !("detachKeys" in config)) return undefined;
    return typeof config.detachKeys === "string" ? config.detachKeys : undefined;
  } catch {
    return undefined; // what is wrong with the file, `login` and `pull` say
  }
}

/**
 * Looks for the keys in what is typed. Keys that may be the beginning of them are held back until the next one shows what they are;
 * nothing of the sequence itself goes through.
 */
export function detachFilter(keys: readonly number[]): (typed: Uint8Array) => {
  readonly through: Uint8Array;
  readonly isDetached: boolean;
} {
  let matched = 0;
  return (typed) => {
    const through: number[] = [];
    for (const byte of typed) {
      if (byte === keys[matched]) {
        matched += 1;
        if (matched === keys.length) return { through: Uint8Array.from(through), isDetached: true };
        continue;
      }
      through.push(...keys.slice(0, matched));
      matched = byte === keys[0] ? 1 : 0;
      if (matched === 0) through.push(byte);
    }
    return { through: Uint8Array.from(through), isDetached: false };
  };
}
