import { encode } from "./codec.ts";
import { wireDefinition, type WireLocation } from "./definition-schema.ts";
import type { Definition, SourceLocation } from "./types.ts";

const origin = { line: 0, character: 0 };

/** A definition as `llb.Definition` on the wire, deterministic. */
export function encodeDefinition(definition: Definition): Uint8Array {
  const { def, metadata, source } = definition;
  if (source === undefined) return encode(wireDefinition, { def, metadata });
  const locations = Object.fromEntries(Object.entries(source.locations).map(([digest, list]) => [digest, { locations: list }]));
  return encode(wireDefinition, { def, metadata, source: { locations, infos: source.infos } });
}

/** Reads a definition; its ops stay encoded. Malformed bytes are `LLB_INVALID`. */
export function decodeDefinition(bytes: Uint8Array): Definition {
  const { def, metadata, source } = wireDefinition.decode(bytes);
  if (source === undefined) return { def, metadata };
  const locations = Object.fromEntries(
    Object.entries(source.locations).map(([digest, list]) => [digest, list.locations.map(complete)]),
  );
  return { def, metadata, source: { locations, infos: source.infos } };
}

function complete(location: WireLocation): SourceLocation {
  return {
    sourceIndex: location.sourceIndex,
    ranges: location.ranges.map(({ start, end }) => ({
      start: start ?? origin,
      end: end ?? origin,
    })),
  };
}
