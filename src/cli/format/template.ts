import { VarveError } from "../../errors/index.ts";

/**
 * A `--format` template as a function from an object to a line. Of Go's templates: text, `{{.Field.Sub}}`, `{{.}}` and
 * `{{json .Field}}`; other actions are refused with NOT_SUPPORTED_YET. The word `json` stands for `{{json .}}`.
 */
export function compileTemplate(template: string): (value: unknown) => string {
  const text = template === "json" ? "{{json .}}" : template;
  const parts: ((value: unknown) => string)[] = [];
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf("{{", at);
    const literal = unescape(text.slice(at, open < 0 ? undefined : open));
    parts.push(() => literal);
    if (open < 0) break;
    const close = text.indexOf("}}", open);
    if (close < 0) throw new VarveError("USAGE", `template parsing error: unclosed action in ${template}`);
    parts.push(compileAction(text.slice(open + 2, close).trim()));
    at = close + 2;
  }
  return (value) => parts.map((part) => part(value)).join("");
}

function compileAction(action: string): (value: unknown) => string {
  const match = /^(json\s+)?\.((?:[A-Za-z_]\w*)(?:\.[A-Za-z_]\w*)*)?$/.exec(action);
  if (match === null) {
    throw new VarveError("NOT_SUPPORTED_YET", `the template action {{${action}}} is not supported yet`, {
      hint: "what is: {{.Field.Sub}}, {{json .Field}}, {{json .}}",
    });
  }
  const path = match[2]?.split(".") ?? [];
  const asJson = match[1] !== undefined;
  return (value) => {
    const found = path.reduce((object, key) => fieldOf(object, key, action), value);
    return asJson ? JSON.stringify(found) : formatGoValue(found);
  };
}

function fieldOf(object: unknown, key: string, action: string): unknown {
  if (typeof object === "object" && object !== null && Object.hasOwn(object, key))
    return (object as Record<string, unknown>)[key];
  throw new VarveError("USAGE", `template: {{${action}}}: there is no field ${key} here`);
}

/** A value as Go's fmt prints it with `%v`. */
function formatGoValue(value: unknown): string {
  if (value === null || value === undefined) return "<no value>";
  if (Array.isArray(value)) return `[${value.map(formatGoValue).join(" ")}]`;
  if (typeof value === "object") {
    const fields = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
    return `map[${fields.map(([key, field]) => `${key}:${formatGoValue(field)}`).join(" ")}]`;
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Docker takes `\t` and `\n` in a template for the characters. */
function unescape(text: string): string {
  return text.replaceAll("\\t", "\t").replaceAll("\\n", "\n");
}
