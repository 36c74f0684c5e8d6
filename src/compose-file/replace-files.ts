import { get, textOf, type MapNode, type Node, type ScalarNode, type SourceFile } from "./node.ts";
import { parseYaml } from "./parse-yaml.ts";
import { substitute } from "./substitute.ts";

/** A file that a service of a Compose file names. */
export interface NamedFile {
  readonly kind: "extends" | "env_file";
  /** As written, with its variables replaced. */
  readonly path: string;
}

/**
 * The text of a Compose file with other names for files that its services extend or take their environment from, where `rename` gives
 * one; all else stays as it is, comments too.
 */
export function replaceFiles(
  file: SourceFile,
  {
    environment,
    rename,
  }: {
    readonly environment: Readonly<Record<string, string>>;
    readonly rename: (named: NamedFile) => string | undefined;
  },
): string {
  const edits = new Map<number, { readonly end: number; readonly text: string }>();
  for (const { kind, node } of parseYaml(file).flatMap(namedFiles)) {
    const path = substitute(String(node.value), { lookup: (name) => environment[name], onUnset: () => undefined });
    const text = rename({ kind, path });
    if (text === undefined || node.place === undefined || node.place.file !== file) continue;
    edits.set(node.place.start, { end: node.place.end, text: JSON.stringify(text) });
  }
  let result = file.text;
  for (const [start, { end, text }] of [...edits].toSorted(([left], [right]) => right - left))
    result = `${result.slice(0, start)}${text}${result.slice(end)}`;
  return result;
}

/** Whether a Compose file includes files of this machine. */
export function includesFiles(file: SourceFile, isElsewhere: (path: string) => boolean): boolean {
  return parseYaml(file).some((document) =>
    listOf(get(document, "include")).some((item) =>
      listOf(item.kind === "map" ? get(item, "path") : item).some((path) => !isElsewhere(textOf(path) ?? "")),
    ),
  );
}

function namedFiles(document: MapNode): readonly { readonly kind: NamedFile["kind"]; readonly node: ScalarNode }[] {
  const services = get(document, "services");
  if (services?.kind !== "map") return [];
  return [...services.entries.values()].flatMap(({ value: service }) => {
    const extended = scalars([get(get(service, "extends"), "file")]);
    const envFiles = scalars(listOf(get(service, "env_file")).map((item) => (item.kind === "map" ? get(item, "path") : item)));
    return [
      ...extended.map((node) => ({ kind: "extends" as const, node })),
      ...envFiles.map((node) => ({ kind: "env_file" as const, node })),
    ];
  });
}

function listOf(node: Node | undefined): readonly Node[] {
  return node === undefined ? [] : node.kind === "list" ? node.items : [node];
}

function scalars(nodes: readonly (Node | undefined)[]): readonly ScalarNode[] {
  return nodes.flatMap((node) => (node?.kind === "scalar" && typeof node.value === "string" ? [node] : []));
}
