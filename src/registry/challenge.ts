/** One way to prove who asks, as a server offers it. */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const schemePattern = new RegExp(`\\s*,*\\s*(${token})(?=\\s|,|$)`, "y");
const parameterPattern = new RegExp(`[\\s,]*(${token})\\s*=\\s*(?:(${token})|"((?:[^"\\\\]|\\\\.)*)")`, "y");

/**
 * Reads a `WWW-Authenticate` header, several challenges included (RFC 9110, section 11.6.1). What cannot be read ends the
 * list. `token68` values are not read: no registry uses them.
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let at = 0;
  for (;;) {
    schemePattern.lastIndex = at;
    const scheme = schemePattern.exec(header)?.[1];
    if (scheme === undefined) return challenges;
    at = schemePattern.lastIndex;
    const parameters = new Map<string, string>();
    for (;;) {
      parameterPattern.lastIndex = at;
      const [, name, plain, quoted] = parameterPattern.exec(header) ?? [];
      if (name === undefined) break;
      at = parameterPattern.lastIndex;
      parameters.set(name.toLowerCase(), plain ?? (quoted ?? "").replace(/\\(.)/g, "$1"));
    }
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
  }
}
