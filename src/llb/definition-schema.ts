import { message } from "./codec.ts";
import { boolean, booleanMap, bytes, embedded, integer, messageMap, repeated, repeatedBytes, text, textMap } from "./fields.ts";
import type { OpMetadata, Position, SourceInfo } from "./types.ts";

const metadata = message<OpMetadata>("OpMetadata", {
  ignoreCache: boolean(1),
  description: textMap(2),
  exportCache: embedded(4, message<{ readonly value: boolean }>("ExportCache", { value: boolean(1) })),
  caps: booleanMap(5),
  progressGroup: embedded(
    6,
    message<NonNullable<OpMetadata["progressGroup"]>>("ProgressGroup", {
      id: text(1),
      name: text(2),
      weak: boolean(3),
    }),
  ),
});

const position = message<Position>("Position", { line: integer(1), character: integer(2) });
/** Positions may be left out on the wire: all zero. */
export interface WireLocation {
  readonly sourceIndex: number;
  readonly ranges: readonly { readonly start?: Position; readonly end?: Position }[];
}
const location = message<WireLocation>("Location", {
  sourceIndex: integer(1),
  ranges: repeated(
    2,
    message<WireLocation["ranges"][number]>("Range", {
      start: embedded(1, position),
      end: embedded(2, position),
    }),
  ),
});

export interface WireDefinition {
  readonly def: readonly Uint8Array[];
  readonly metadata: Readonly<Record<string, OpMetadata>>;
  readonly source?: {
    readonly locations: Readonly<Record<string, { readonly locations: readonly WireLocation[] }>>;
    readonly infos: readonly SourceInfo[];
  };
}
/** Definition. How a source file itself was fetched (SourceInfo.definition) is not kept. */
export const wireDefinition = message<WireDefinition>("Definition", {
  def: repeatedBytes(1),
  metadata: messageMap(2, metadata),
  source: embedded(
    3,
    message<NonNullable<WireDefinition["source"]>>("Source", {
      locations: messageMap(
        1,
        message<{ readonly locations: readonly WireLocation[] }>("Locations", {
          locations: repeated(1, location),
        }),
      ),
      infos: repeated(2, message<SourceInfo>("SourceInfo", { filename: text(1), data: bytes(2), language: text(4) }, [3])),
    }),
  ),
});

/** What stands for a vertex of which nothing is known. */
export const noMetadata: OpMetadata = { ignoreCache: false, description: {}, caps: {} };
