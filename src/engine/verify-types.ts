import type { EventSink } from "../events/index.ts";
import type { Digest } from "../oci/index.ts";
import type { BuildOptions } from "./types.ts";

export interface VerifyOptions extends Pick<BuildOptions, "secrets" | "ssh" | "signal"> {
  /** The build to repeat, as in `Varve.history`. Default: the last one that made this image. */
  readonly record?: string;
  /** The context and the Dockerfile, where the record does not know them (they came from a stream) or they moved. */
  readonly context?: BuildOptions["context"];
  readonly dockerfile?: BuildOptions["dockerfile"];
  readonly onEvent?: EventSink;
  /** Differences that are listed; the others are counted. Default 1000. */
  readonly maxDifferences?: number;
}

/** What a second build of the same came to. */
export interface Verification {
  readonly image: Digest;
  readonly rebuilt: Digest;
  /** The builds' refs in `Varve.history`. */
  readonly ref: string;
  readonly rebuiltRef: string;
  /** Of an index those that it has images for; all of them are compared. */
  readonly platforms?: readonly string[];
  /** The config and every layer are the same bytes. */
  readonly agrees: boolean;
  /** Of all platforms together. */
  readonly layers: number;
  readonly differences: readonly Difference[];
  /** Of differences, listed or not. */
  readonly total: number;
  /** What may explain them: the context is at another commit, say. */
  readonly notes: readonly string[];
}

/** One fact that is not the same: of the config, or of an entry of a layer's archive; the field `image` where only one build has the platform. */
export interface Difference {
  /** Where there are several. */
  readonly platform?: string;
  /** Counted from 0; undefined for the config. */
  readonly layer?: number;
  /** What made the layer, from the image's history. */
  readonly step?: string;
  /** In the layer, without a leading slash. */
  readonly path?: string;
  /** Of the config, e.g. `config.Env[2]`; of an entry its header's: `mode`, `mtime`, `content`, `xattr user.x`, `entry`, `order`. */
  readonly field: string;
  /** Absent where there is none. */
  readonly image?: string;
  readonly rebuilt?: string;
}
