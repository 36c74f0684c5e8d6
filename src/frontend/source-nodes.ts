import { encodeGoJson, formatReference, type ImageReference, type Platform } from "../oci/index.ts";
import { cleanPath } from "../tree/index.ts";
import { named, noConstraints, toOpPlatform, type Node, type Output } from "./node.ts";

/** The root of an image, which the reference pins by digest. */
export function imageSource(
  reference: ImageReference,
  options: {
    readonly platform: Platform;
    readonly name: string;
    readonly command: string | undefined;
    readonly lines: readonly number[];
    /** The layout folder that has it. Absent: the store or a registry. */
    readonly layout?: string;
  },
): Output {
  const { platform, name, command, lines, layout } = options;
  const node: Node = {
    inputs: [],
    compose: () => ({
      inputs: [],
      platform: toOpPlatform(platform),
      constraints: noConstraints,
      kind: "source",
      source: {
        identifier: `${layout === undefined ? "docker-image" : "oci-layout"}://${formatReference(reference)}`,
        attrs: layout === undefined ? {} : { "oci.store": layout },
      },
    }),
    metadata: named(name, [layout === undefined ? "source.image" : "source.ocilayout"], command === undefined ? {} : { command }),
    lines,
  };
  return { node, index: 0 };
}

/** The build context, or a named one that is a folder: one source, however many steps read from it. */
export interface ContextSource {
  readonly output: Output;
  /** Says that a step reads this path (a pattern, absolute in the context): only such paths are taken (G07). */
  use(path: string): void;
}

/** Makes the context; its attributes are settled when the graph is composed. */
export function createContextSource(options: {
  readonly name: string;
  readonly ignorePatterns: readonly string[];
  /** For progress. */
  readonly title?: string;
  readonly sharedKeyHint?: string;
}): ContextSource {
  const { name, ignorePatterns, title = "[internal] load build context", sharedKeyHint = name } = options;
  const paths = new Set<string>();
  const node: Node = {
    inputs: [],
    compose() {
      const follow = paths.has("/") ? [] : [...paths].map((path) => cleanPath(path.slice(1))).sort(byBytes);
      return {
        inputs: [],
        constraints: noConstraints,
        kind: "source",
        source: {
          identifier: `local://${name}`,
          attrs: {
            ...(ignorePatterns.length === 0 ? {} : { "local.excludepatterns": encodeGoJson(ignorePatterns) }),
            ...(follow.length === 0 ? {} : { "local.followpaths": encodeGoJson(follow) }),
            "local.sharedkeyhint": sharedKeyHint,
          },
        },
      };
    },
    metadata: named(title, [
      "source.local",
      "source.local.followpaths",
      "source.local.excludepatterns",
      "source.local.sharedkeyhint",
    ]),
    lines: [],
  };
  return { output: { node, index: 0 }, use: (path) => void paths.add(path) };
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
