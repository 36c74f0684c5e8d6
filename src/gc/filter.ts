import { VarveError } from "../errors/index.ts";
import { recordTypes, type StoreRecord } from "./types.ts";

/** The fields of records that a filter can ask for. (BuildKit, cache manager's adaptor; features B48) */
const fields: Readonly<Record<string, (record: StoreRecord) => string | boolean>> = {
  id: ({ id }) => id,
  parents: ({ parents }) => parents.join(";"),
  description: ({ description }) => description,
  type: ({ type }) => type,
  inuse: ({ holder }) => holder !== undefined,
  mutable: ({ mutable }) => mutable,
  immutable: ({ mutable }) => !mutable,
  shared: ({ sharedWith }) => sharedWith !== undefined,
  private: ({ sharedWith }) => sharedWith === undefined,
};

export type RecordFilter = (record: StoreRecord) => boolean;

/**
 * Reads one condition: `type=regular`, `type==regular`, `type!=regular`, `description~=regular expression`, `shared`,
 * `shared=false`. An unknown field or value is FILTER_INVALID.
 */
export function parseCondition(text: string): RecordFilter {
  const match = /^\s*([a-z]+)\s*(?:(!=|~=|==|=)(.*))?$/s.exec(text);
  const [, name = "", operator, value = ""] = match ?? [];
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (field === undefined)
    throw new VarveError("FILTER_INVALID", `unknown filter "${text}"`, { hint: `known: ${Object.keys(fields).join(", ")}` });
  return compile(name, field, operator, unquote(value.trim()));
}

/** Conditions that must all hold, separated by commas, as in `filters` of buildkitd.toml. */
export function parseConditions(text: string): RecordFilter {
  const conditions = text
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(parseCondition);
  return (record) => conditions.every((condition) => condition(record));
}

function compile(
  name: string,
  field: (record: StoreRecord) => string | boolean,
  operator: string | undefined,
  value: string,
): RecordFilter {
  const isFlag = typeof field(sample) === "boolean";
  if (isFlag) {
    const wanted = { "": true, true: true, "1": true, false: false, "0": false }[value];
    if (wanted === undefined || operator === "~=") throw invalid(`${name} is true or false, not "${value}"`);
    return (record) => (field(record) === wanted) !== (operator === "!=");
  }
  if (operator === undefined) throw invalid(`the filter "${name}" needs a value`, `--filter ${name}=VALUE`);
  if (operator === "~=") {
    const pattern = compilePattern(value);
    return (record) => pattern.test(String(field(record)));
  }
  if (name === "type" && !(recordTypes as readonly string[]).includes(value))
    throw invalid(`there is no type "${value}"`, `known: ${recordTypes.join(", ")}`);
  return (record) => (field(record) === value) !== (operator === "!=");
}

function compilePattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new VarveError("FILTER_INVALID", `the filter's pattern ${text} is no regular expression`, { cause: error });
  }
}

function unquote(text: string): string {
  return /^".*"$/s.test(text) ? text.slice(1, -1) : text;
}

function invalid(message: string, hint?: string): VarveError {
  return new VarveError("FILTER_INVALID", message, hint === undefined ? {} : { hint });
}

const sample: StoreRecord = {
  id: "",
  thing: "",
  type: "regular",
  description: "",
  parents: [],
  createdMs: 0,
  lastUsedMs: undefined,
  usageCount: 0,
  bytes: 0,
  inodes: 0,
  mutable: false,
  sharedWith: undefined,
  holder: undefined,
  cached: false,
};
