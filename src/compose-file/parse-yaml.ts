import { isAlias, isMap, isScalar, isSeq, parseAllDocuments, type Alias, type Document, type YAMLMap, type YAMLSeq } from "yaml";
import { VarveError } from "../errors/index.ts";
import { at, scalar, type Entry, type MapNode, type Node, type Place, type Scalar, type SourceFile } from "./node.ts";
import { resolvePlainScalar } from "./plain-scalar.ts";

/** What a file may hold, aliases counted as often as they are used: more is an attack, or a mistake. */
export const maxNodes = 100_000;

/** Folders within folders: far below what a call stack bears. */
const maxDepth = 200;

type Parsed = Alias | YAMLMap | YAMLSeq | { readonly value: unknown };

/**
 * Reads the documents of a YAML file; empty ones are left out. Anchors, aliases, merge keys (`<<`) and the tags `!reset`
 * and `!override` are understood. Fails with COMPOSE_YAML.
 */
export function parseYaml(file: SourceFile): readonly MapNode[] {
  const documents = parseAllDocuments(file.text, { schema: "failsafe", merge: false, uniqueKeys: false, prettyErrors: false });
  if (!Array.isArray(documents)) return [];
  const found: MapNode[] = [];
  for (const document of documents as Document.Parsed[]) {
    const [error] = document.errors;
    if (error !== undefined) throw yamlError(error.message, { file, start: error.pos[0], end: error.pos[1] }, error);
    if (document.contents === null) continue;
    const node = createReader(file)(document.contents as Parsed);
    if (node.kind === "map") found.push(node);
    else if (node.kind !== "scalar" || node.value !== null) {
      throw new VarveError("COMPOSE_INVALID", "a Compose file is a mapping at its top", at(node.place));
    }
  }
  return found;
}

function createReader(file: SourceFile): (parsed: Parsed) => Node {
  const anchors = new Map<string, Parsed>();
  let visits = 0;
  const open = new Set<Parsed>();

  const placeOf = (parsed: { readonly range?: readonly number[] | null }): Place => ({
    file,
    start: parsed.range?.[0] ?? 0,
    end: parsed.range?.[1] ?? 0,
  });

  function read(parsed: Parsed | null): Node {
    if (parsed === null) return scalar(null);
    const place = placeOf(parsed as { range?: readonly number[] });
    visits += 1;
    if (visits > maxNodes) {
      throw new VarveError(
        "COMPOSE_TOO_LARGE",
        `the file has more than ${maxNodes} values, aliases counted each time`,
        at(place),
      );
    }
    if (isAlias(parsed)) {
      const target = anchors.get(parsed.source);
      if (target === undefined) throw yamlError(`there is no anchor &${parsed.source} before this alias`, place);
      if (open.has(target)) throw yamlError(`the alias *${parsed.source} stands inside of what it names`, place);
      return read(target);
    }
    const anchor = (parsed as { anchor?: string }).anchor;
    if (anchor !== undefined) anchors.set(anchor, parsed);
    if (open.size > maxDepth) throw new VarveError("COMPOSE_TOO_LARGE", `values stand more than ${maxDepth} deep`, at(place));
    open.add(parsed);
    const node = readContent(parsed, place);
    open.delete(parsed);
    const tag = (parsed as { tag?: string }).tag;
    if (tag === "!reset") return { ...node, tag: "reset" };
    return tag === "!override" ? { ...node, tag: "override" } : node;
  }

  function readContent(parsed: Parsed, place: Place): Node {
    if (isMap(parsed)) return readMap(parsed, place);
    if (isSeq(parsed)) return { kind: "list", items: parsed.items.map((item) => read(item as Parsed | null)), place };
    return scalar(isScalar(parsed) ? scalarValue(parsed) : null, place);
  }

  function readMap(parsed: YAMLMap, place: Place): MapNode {
    const entries = new Map<string, Entry>();
    const merged: Node[] = [];
    for (const pair of parsed.items) {
      const key = pair.key as Parsed | null;
      const keyPlace = key === null ? place : placeOf(key as { range?: readonly number[] });
      const name = read(key);
      if (name.kind !== "scalar") throw yamlError("a key must be a text", keyPlace);
      const value = read(pair.value as Parsed | null);
      const located = value.place === undefined ? { ...value, place: keyPlace } : value;
      if (name.value === "<<") {
        merged.push(...(located.kind === "list" ? located.items : [located]));
        continue;
      }
      if (typeof name.value !== "string" && typeof name.value !== "number" && typeof name.value !== "boolean") {
        throw yamlError("a key must be a text", keyPlace);
      }
      const text = String(name.value);
      if (entries.has(text)) throw yamlError(`mapping key "${text}" already defined`, keyPlace);
      entries.set(text, { value: located, keyPlace });
    }
    for (const source of merged) {
      if (source.kind !== "map") throw yamlError("only mappings can be merged with <<", source.place ?? place);
      for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry);
    }
    return { kind: "map", entries, place };
  }
  return read;
}

function scalarValue(parsed: { readonly value: unknown; readonly type?: string; readonly tag?: string }): Scalar {
  const text = typeof parsed.value === "string" ? parsed.value : "";
  const tag = parsed.tag?.replace(/^tag:yaml\.org,2002:/, "!!");
  if (tag === "!!str") return text;
  const isPlain = parsed.type === "PLAIN" || parsed.type === undefined;
  return isPlain || tag === "!!int" || tag === "!!float" || tag === "!!bool" || tag === "!!null"
    ? resolvePlainScalar(text)
    : text;
}

function yamlError(reason: string, place: Place, cause?: unknown): VarveError {
  return new VarveError("COMPOSE_YAML", `${place.file.name} is not readable YAML: ${reason}`, { ...at(place), cause });
}
