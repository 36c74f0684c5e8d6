import type { SourceRange } from "../errors/index.ts";

/**
 * A YAML tree in which every value knows where it was written. Trees are never changed: each step of loading makes a new
 * one out of parts of the old, so that an error in the last step still has its line and column.
 */
export type Node = MapNode | ListNode | ScalarNode;

interface Located {
  readonly place?: Place | undefined;
  /** `!reset` and `!override` of the Specification's merge rules. */
  readonly tag?: "reset" | "override";
}

export interface MapNode extends Located {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  readonly value: Node;
  /** Where the key stands. */
  readonly keyPlace?: Place | undefined;
}

export interface ListNode extends Located {
  readonly kind: "list";
  readonly items: readonly Node[];
}

export type Scalar = string | number | boolean | null;

export interface ScalarNode extends Located {
  readonly kind: "scalar";
  readonly value: Scalar;
}

/** Offsets into a file's text. */
export interface Place {
  readonly file: SourceFile;
  readonly start: number;
  readonly end: number;
}

export interface SourceFile {
  /** As the user would name it, for messages. */
  readonly name: string;
  readonly text: string;
}

export const scalar = (value: Scalar, place?: Place): ScalarNode => ({ kind: "scalar", value, place });

export const list = (items: readonly Node[], place?: Place): ListNode => ({ kind: "list", items, place });

/** A map of the entries that are not undefined. */
export function map(entries: Readonly<Record<string, Node | undefined>>, place?: Place): MapNode {
  const made = new Map<string, Entry>();
  for (const [key, value] of Object.entries(entries)) if (value !== undefined) made.set(key, { value });
  return { kind: "map", entries: made, place };
}

export function get(node: Node | undefined, key: string): Node | undefined {
  return node?.kind === "map" ? node.entries.get(key)?.value : undefined;
}

/** The text of a scalar that is one; numbers and booleans are none. */
export function textOf(node: Node | undefined): string | undefined {
  return node?.kind === "scalar" && typeof node.value === "string" ? node.value : undefined;
}

export function isNull(node: Node | undefined): boolean {
  return node?.kind === "scalar" && node.value === null;
}

/** The map with an entry set, at its old place or at the end; undefined removes it. */
export function set(node: MapNode, key: string, value: Node | undefined): MapNode {
  const entries = new Map(node.entries);
  if (value === undefined) entries.delete(key);
  else entries.set(key, { ...entries.get(key), value });
  return { ...node, entries };
}

/** The map with each value replaced by what `change` makes of it; undefined removes the entry. */
export function mapValues(node: MapNode, change: (value: Node, key: string, entry: Entry) => Node | undefined): MapNode {
  const entries = new Map<string, Entry>();
  for (const [key, entry] of node.entries) {
    const value = change(entry.value, key, entry);
    if (value !== undefined) entries.set(key, value === entry.value ? entry : { ...entry, value });
  }
  return { ...node, entries };
}

/** Changes the value at a key when it is there. */
export function update(node: MapNode, key: string, change: (value: Node) => Node | undefined): MapNode {
  const value = get(node, key);
  return value === undefined ? node : set(node, key, change(value));
}

/** The tree as plain JavaScript. */
export function toPlain(node: Node): unknown {
  switch (node.kind) {
    case "map":
      return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, toPlain(value)]));
    case "list":
      return node.items.map(toPlain);
    case "scalar":
      return node.value;
  }
}

/** For error messages: a place as lines and columns. */
export function rangeOf(place: Place | undefined): SourceRange | undefined {
  if (place === undefined) return undefined;
  const { file, start, end } = place;
  const from = position(file.text, start);
  const to = position(file.text, Math.max(start, end));
  return {
    file: file.name,
    startLine: from.line,
    startColumn: from.column,
    endLine: to.line,
    endColumn: to.column,
    source: file.text,
  };
}

/** The place of an error, as the options of VarveError take it. */
export function at(place: Place | undefined): { readonly where?: SourceRange } {
  const where = rangeOf(place);
  return where === undefined ? {} : { where };
}

function position(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}

/** `services.web.ports[0]` as the messages of Docker Compose write it. */
export function showPath(path: readonly (string | number)[]): string {
  return path.map((part, index) => (typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${part}`)).join("");
}
