import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { VarveError } from "../../errors/index.ts";

/** Where engines are told of. */
export interface EnginePlaces {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default `~/.docker`. */
  readonly dockerConfigDir?: string | undefined;
}

/**
 * The address of the engine that `context=` of an output names: an address itself, a context of Docker's, `default` (DOCKER_HOST, or
 * Docker's usual socket), or `podman` for Podman's usual socket where no context has that name.
 */
export function engineAddress(
  name: string,
  { env, dockerConfigDir = join(env["HOME"] ?? "/", ".docker") }: EnginePlaces,
): string {
  if (name.includes("://")) return name;
  if (name === "" || name === "default") return env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock";
  const file = join(dockerConfigDir, "contexts", "meta", createHash("sha256").update(name).digest("hex"), "meta.json");
  if (!existsSync(file)) {
    if (name === "podman") return `unix://${podmanSocket(env)}`;
    throw new VarveError("USAGE", `context "${name}" does not exist`, {
      hint: "give the name of a Docker context, default, podman, or an address like unix:///run/docker.sock",
    });
  }
  const host = hostIn(file);
  if (host !== undefined) return host;
  throw new VarveError("USAGE", `the context "${name}" of Docker names no engine`, { hint: file });
}

function hostIn(file: string): string | undefined {
  try {
    const meta = JSON.parse(readFileSync(file, "utf8")) as { Endpoints?: { docker?: { Host?: unknown } } } | null;
    const host = meta?.Endpoints?.docker?.Host;
    return typeof host === "string" && host !== "" ? host : undefined;
  } catch (cause) {
    throw new VarveError("FILE_UNREADABLE", `cannot read ${file}`, { cause });
  }
}

function podmanSocket(env: EnginePlaces["env"]): string {
  const own = env["XDG_RUNTIME_DIR"];
  const rootless = own === undefined ? undefined : join(own, "podman/podman.sock");
  return rootless !== undefined && existsSync(rootless) ? rootless : "/run/podman/podman.sock";
}
