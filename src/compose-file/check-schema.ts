import { didYouMean, VarveError } from "../errors/index.ts";
import { at, isNull, showPath, toPlain, type MapNode, type Node, type Place } from "./node.ts";
import schemaFile from "./schema/compose-spec.json" with { type: "json" };

/*
 * Validation against the Compose Specification's own JSON schema (schema/compose-spec.json, vendored as it is). The schema
 * uses a dozen of draft 7's words, and these are read here; a general validator would know neither places nor near names.
 */

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly uniqueItems?: boolean;
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly $ref?: string;
}

const root = schemaFile as unknown as Schema & { readonly definitions: Readonly<Record<string, Schema>> };

const truth: Schema = { type: ["boolean", "string"] };

/** What the Specification's text (services, "pre_start") and the reference implementation have before the published schema. */
const addedToService: Readonly<Record<string, Schema>> = {
  pre_start: {
    type: "array",
    items: {
      type: "object",
      properties: {
        command: { $ref: "#/definitions/command" },
        image: { type: "string" },
        user: { type: "string" },
        privileged: truth,
        working_dir: { type: "string" },
        environment: { $ref: "#/definitions/list_or_dict" },
        per_replica: truth,
      },
      additionalProperties: false,
      patternProperties: { "^x-": {} },
    },
  },
};
const addedToBuild: Readonly<Record<string, Schema>> = { no_cache_filter: { $ref: "#/definitions/string_or_list" } };

export interface CheckOptions {
  /** False for a part that others are merged into: it may lack what it must have in the end, and repeat itself. */
  readonly isWhole: boolean;
}

type Path = readonly (string | number)[];

interface Problem {
  readonly path: Path;
  readonly reason: string;
  readonly place: Place | undefined;
  /** The value is of another kind than this branch of the schema is about. */
  readonly isKind?: boolean;
}

/** Checks a file's tree. Fails with COMPOSE_INVALID at the first mistake in the order of the text. */
export function checkSchema(file: MapNode, { isWhole }: CheckOptions): void {
  report(problemsOf(root, file, [], isWhole));
}

/** Checks one service by itself, as part of whatever file it stands in. */
export function checkService(name: string, service: Node, { isWhole }: CheckOptions): void {
  report(problemsOf(definition("service"), service, ["services", name], isWhole));
}

function report(problems: readonly Problem[]): void {
  const first = problems.reduce<Problem | undefined>(
    (best, each) => (best === undefined || (each.place?.start ?? Infinity) < (best.place?.start ?? Infinity) ? each : best),
    undefined,
  );
  if (first === undefined) return;
  const path = showPath(first.path);
  throw new VarveError("COMPOSE_INVALID", path === "" ? first.reason : `${path}: ${first.reason}`, at(first.place));
}

function definition(name: string): Schema {
  const found = root.definitions[name];
  if (found === undefined) throw new TypeError(`the schema has no definition ${name}`);
  return found;
}

function propertiesAt(path: Path, schema: Schema): Readonly<Record<string, Schema>> {
  const { properties = {} } = schema;
  if (path[0] !== "services" || !Object.hasOwn(schema, "properties")) return properties;
  if (path.length === 2) return { ...properties, ...addedToService };
  return path.length === 3 && path[2] === "build" ? { ...properties, ...addedToBuild } : properties;
}

function problemsOf(schema: Schema, node: Node, path: Path, isWhole: boolean): readonly Problem[] {
  if (schema.$ref !== undefined) return problemsOf(definition(schema.$ref.replace("#/definitions/", "")), node, path, isWhole);
  // What was a list of names is a map of nothings by now
  if (isNull(node) && path.length === 4 && path[2] === "models") return [];
  const problem = (reason: string, place = node.place): Problem => ({ path, reason, place });
  if (schema.type !== undefined) {
    const types = typeof schema.type === "string" ? [schema.type] : schema.type;
    if (!types.some((type) => isOfType(node, type)))
      return [{ ...problem(`must be ${orList(types.map(showType))}`), isKind: true }];
  }
  const problems: Problem[] = [];
  if (schema.oneOf !== undefined) problems.push(...problemsOfBranches(schema.oneOf, node, path, isWhole));
  if (node.kind === "map") problems.push(...problemsOfMap(schema, node, path, isWhole));
  if (node.kind === "list") problems.push(...problemsOfList(schema, node, path, isWhole));
  if (node.kind === "scalar") {
    const { value } = node;
    if (schema.enum !== undefined && !schema.enum.includes(value)) {
      const known = schema.enum.map(String);
      problems.push(problem(`value must be one of ${known.join(", ")}${didYouMean(String(value), known)}`));
    }
    if (typeof value === "string" && schema.pattern !== undefined && !new RegExp(schema.pattern).test(value)) {
      problems.push(problem(`${JSON.stringify(value)} does not match ${schema.pattern}`));
    }
    if (typeof value === "number") {
      if (schema.minimum !== undefined && value < schema.minimum) problems.push(problem(`must be ${schema.minimum} or more`));
      if (schema.maximum !== undefined && value > schema.maximum) problems.push(problem(`must be ${schema.maximum} or less`));
    }
  }
  return problems;
}

/** Of several forms the one that the value is nearest to says what is wrong. */
function problemsOfBranches(branches: readonly Schema[], node: Node, path: Path, isWhole: boolean): readonly Problem[] {
  const results = branches.map((branch) => problemsOf(branch, node, path, isWhole));
  if (results.some((problems) => problems.length === 0)) return [];
  const near = results.filter((problems) => !problems.some((each) => each.isKind === true && each.path.length === path.length));
  const [best] = near.toSorted((left, right) => right[0]!.path.length - left[0]!.path.length);
  if (best !== undefined) return best;
  const kinds = [...new Set(results.flat().map(({ reason }) => reason.replace(/^must be /, "")))];
  return [{ path, reason: `must be ${orList(kinds)}`, place: node.place, isKind: true }];
}

function problemsOfMap(schema: Schema, node: MapNode, path: Path, isWhole: boolean): readonly Problem[] {
  const problems: Problem[] = [];
  const patterns = Object.entries(schema.patternProperties ?? {}).map(
    ([pattern, value]) => [new RegExp(pattern), value] as const,
  );
  const properties = propertiesAt(path, schema);
  for (const [key, { value, keyPlace }] of node.entries) {
    if (value.tag === "reset") continue;
    const own = Object.hasOwn(properties, key) ? properties[key] : undefined;
    const rules = [own, ...patterns.filter(([pattern]) => pattern.test(key)).map(([, rule]) => rule)].filter(
      (rule) => rule !== undefined,
    );
    for (const rule of rules) problems.push(...problemsOf(rule, value, [...path, key], isWhole));
    if (rules.length > 0 || schema.additionalProperties === undefined || schema.additionalProperties === true) continue;
    if (typeof schema.additionalProperties === "object") {
      problems.push(...problemsOf(schema.additionalProperties, value, [...path, key], isWhole));
      continue;
    }
    const known = Object.keys(properties);
    const reason =
      known.length === 0
        ? `${JSON.stringify(key)} is no name that may stand here`
        : `additional properties '${key}' not allowed${didYouMean(key, known)}`;
    problems.push({ path, reason, place: keyPlace ?? value.place });
  }
  if (isWhole) {
    for (const key of schema.required ?? []) {
      if (!node.entries.has(key)) problems.push({ path, reason: `missing property '${key}'`, place: node.place });
    }
  }
  return problems;
}

function problemsOfList(schema: Schema, node: Node & { kind: "list" }, path: Path, isWhole: boolean): readonly Problem[] {
  const { items } = schema;
  const problems =
    items === undefined ? [] : node.items.flatMap((item, index) => problemsOf(items, item, [...path, index], isWhole));
  if (schema.uniqueItems === true && isWhole) {
    const seen = new Map<string, number>();
    for (const [index, item] of node.items.entries()) {
      const text = JSON.stringify(toPlain(item));
      const before = seen.get(text);
      if (before !== undefined) problems.push({ path, reason: `items at ${before} and ${index} are equal`, place: item.place });
      seen.set(text, index);
    }
  }
  return problems;
}

function isOfType(node: Node, type: string): boolean {
  switch (type) {
    case "object":
      return node.kind === "map";
    case "array":
      return node.kind === "list";
    case "null":
      return node.kind === "scalar" && node.value === null;
    case "integer":
      return node.kind === "scalar" && Number.isInteger(node.value);
    default:
      return node.kind === "scalar" && typeof node.value === type;
  }
}

const typeNames: Readonly<Record<string, string>> = {
  object: "a mapping",
  array: "a list",
  string: "a string",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  null: "nothing",
};

const showType = (type: string): string => typeNames[type] ?? type;

function orList(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
