import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { VarveError } from "../errors/index.ts";

/** What Docker's config.json says of credentials. */
export interface DockerConfig {
  readonly path: string;
  /** The whole file, as it stands. */
  readonly members: Readonly<Record<string, unknown>>;
  /** By host. */
  readonly auths: ReadonlyMap<string, Record<string, unknown>>;
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore: string | undefined;
}

/** Under this the Docker Hub's credentials are kept, whatever its registry's host is called. */
const hubKey = "https://index.docker.io/v1/";
const hubHosts = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/** The name of a registry in `auths` and for helpers. */
export function keyOfHost(host: string): string {
  return hubHosts.has(host) ? hubKey : host;
}

/** The helper that keeps a host's credentials, without `docker-credential-`. */
export function helperOf({ credHelpers, credsStore }: DockerConfig, host: string): string | undefined {
  return credHelpers.get(hostOfKey(keyOfHost(host))) ?? credsStore;
}

/** The file of a folder; none is an empty one. `CREDENTIALS_INVALID` where it cannot be read. */
export async function readDockerConfig(dockerConfigDir: string): Promise<DockerConfig> {
  const path = join(dockerConfigDir, "config.json");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      return { path, members: {}, auths: new Map(), credHelpers: new Map(), credsStore: undefined };
    throw new VarveError("CREDENTIALS_INVALID", "cannot read Docker's config.json", {
      cause: error,
    });
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's message would quote the text, which holds passwords.
    throw new VarveError("CREDENTIALS_INVALID", "Docker's config.json is not JSON", {
      hint: `mend or move away ${path}`,
    });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new VarveError("CREDENTIALS_INVALID", "Docker's config.json is no JSON object", { hint: `mend or move away ${path}` });
  const members = parsed as Record<string, unknown>;
  const auths = new Map<string, Record<string, unknown>>();
  for (const [key, entry] of Object.entries(objectOf(members["auths"]))) auths.set(hostOfKey(key), objectOf(entry));
  const credHelpers = new Map<string, string>();
  for (const [key, name] of Object.entries(objectOf(members["credHelpers"]))) {
    if (typeof name === "string" && name !== "") credHelpers.set(hostOfKey(key), name);
  }
  const store = members["credsStore"];
  return {
    path,
    members,
    auths,
    credHelpers,
    credsStore: typeof store === "string" && store !== "" ? store : undefined,
  };
}

/** The host that a key of the file stands for: keys are hosts or, from early times, URLs. */
export function hostOfKey(key: string): string {
  const host = key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return hubHosts.has(host) ? "index.docker.io" : host;
}

export function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/**
 * Gives a host another entry in `auths`, or none. The file is read, written aside with mode 0600 and renamed; whatever else
 * is in it stays, and a link is followed. `CREDENTIALS_UNWRITABLE` where that cannot be done.
 */
export async function updateAuths(
  dockerConfigDir: string,
  host: string,
  entry: Readonly<Record<string, string>> | undefined,
): Promise<void> {
  const { path, members } = await readDockerConfig(dockerConfigDir);
  const kept = Object.entries(objectOf(members["auths"])).filter(([key]) => hostOfKey(key) !== hostOfKey(keyOfHost(host)));
  const auths = Object.fromEntries(entry === undefined ? kept : [...kept, [keyOfHost(host), entry]]);
  const text = `${JSON.stringify({ ...members, auths }, undefined, "\t")}\n`;
  let aside: string | undefined;
  try {
    await mkdir(dockerConfigDir, { recursive: true, mode: 0o700 });
    const target = await realpath(path).catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return path;
      throw error;
    });
    aside = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}`);
    const file = await open(aside, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, target);
  } catch (cause) {
    if (aside !== undefined) await rm(aside, { force: true });
    throw new VarveError("CREDENTIALS_UNWRITABLE", `cannot write ${path}`, { cause });
  }
}
