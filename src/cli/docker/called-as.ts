/** The engine whose commands and output Varve answers like, for tools that ask before they dare. */
export const dockerVersion = "28.5.2";
export const dockerApiVersion = "1.51";
export const buildxVersion = "v0.29.1";
export const dockerComposeVersion = "2.40.3";

/** The name of Varve in the environment of the scripts that `varve docker-shim install` makes. */
export const calledAsVariable = "VARVE_CALLED_AS";

/** Whether this is Varve under Docker's name: what tools parse (`docker --version`) is in Docker's form then. */
export function isCalledDocker(env: Readonly<Record<string, string | undefined>>): boolean {
  return env[calledAsVariable] === "docker";
}

/** What `docker --version` prints, in the form that tools take apart; the build says who answers. */
export function dockerVersionLine(ownVersion: string): string {
  return `Docker version ${dockerVersion}, build varve-${ownVersion}\n`;
}

/** The form of `docker context ls` is asked for with the words that Varve has for something else. */
export function translateDockerWords(words: readonly string[]): readonly string[] {
  const [group, command = "", ...rest] = words;
  if (group !== "context" || !["ls", "list"].includes(command)) return words;
  return ["docker-context", "ls", ...rest];
}
