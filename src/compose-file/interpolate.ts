import { isVarveError, VarveError } from "../errors/index.ts";
import { at, mapValues, rangeOf, showPath, textOf, type MapNode, type Node } from "./node.ts";
import { findReferences, substitute, type Reference } from "./substitute.ts";
import type { ProjectWarning } from "./types.ts";

export interface InterpolateOptions {
  readonly lookup: (name: string) => string | undefined;
  readonly warn: (warning: ProjectWarning) => void;
}

type Path = readonly (string | number)[];

/** Replaces variables in every value of a file; keys stay as they are. Fails with COMPOSE_INTERPOLATION at the place. */
export function interpolate(file: MapNode, { lookup, warn }: InterpolateOptions): MapNode {
  const change = (node: Node, path: Path): Node => {
    switch (node.kind) {
      case "map":
        return mapValues(node, (value, key) => change(value, [...path, key]));
      case "list":
        return { ...node, items: node.items.map((item, index) => change(item, [...path, index])) };
      case "scalar": {
        const text = textOf(node);
        if (text === undefined || !text.includes("$")) return node;
        const where = rangeOf(node.place);
        const onUnset = (name: string): void => {
          const message = `The "${name}" variable is not set. Defaulting to a blank string.`;
          warn(where === undefined ? { message } : { message, where });
        };
        try {
          return { ...node, value: substitute(text, { lookup, onUnset }) };
        } catch (error) {
          if (!isVarveError(error)) throw error;
          throw new VarveError("COMPOSE_INTERPOLATION", `${showPath(path)}: ${error.message}`, {
            ...at(node.place),
            ...(error.hint === undefined ? {} : { hint: error.hint }),
          });
        }
      }
    }
  };
  return change(file, []) as MapNode;
}

/** Every reference in the values of a tree, in the order of the text; a text that cannot be read has none. */
export function collectReferences(node: Node): readonly Reference[] {
  switch (node.kind) {
    case "map":
      return [...node.entries.values()].flatMap(({ value }) => collectReferences(value));
    case "list":
      return node.items.flatMap(collectReferences);
    case "scalar": {
      const text = textOf(node);
      return text?.includes("$") === true ? findReferences(text) : [];
    }
  }
}
