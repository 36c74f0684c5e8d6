import type { Platform } from "../oci/index.ts";

/**
 * What a builder is to the rest: nodes, each with its platforms, that solve graphs. `Request` holds the graph and what it reads,
 * `Results` is what the exporters take, one for each platform asked for. A node on this machine solves with a store of its own.
 */
export interface SolvingNode<Request, Results> {
  readonly name: string;
  readonly platforms: readonly Platform[];
  /** Ends soon after the signal does. */
  solve(request: Request, options: { readonly platforms: readonly Platform[]; readonly signal: AbortSignal }): Promise<Results>;
}

/** Docker's names: `docker` is the default builder, whose images are the image store's. */
export type Driver = "docker" | "docker-container";

/** The drivers that buildx knows; what is here not a {@link Driver} needs another machine. */
export const drivers: readonly string[] = ["docker", "docker-container", "kubernetes", "remote"];

export const defaultBuilder = "default";

export interface BuilderRecord {
  readonly name: string;
  readonly driver: Driver;
  readonly nodes: readonly NodeRecord[];
  /** When it was made, changed or last used, milliseconds since 1970. Absent for the default builder. */
  readonly lastActivityMs?: number;
}

export interface NodeRecord {
  readonly name: string;
  readonly endpoint: string;
  /** The platforms that it was given: it is preferred for these. Normalised texts. */
  readonly platforms: readonly string[];
  /** As given to `--buildkitd-flags`. */
  readonly flags: readonly string[];
  readonly driverOptions: Readonly<Record<string, string>>;
  /** The text of its own configuration file. */
  readonly config?: string;
  /** Until it is used again. */
  readonly stopped?: true;
}
