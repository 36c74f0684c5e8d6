import { VarveError } from "../../errors/index.ts";
import { formatGoValue, isTrue } from "./go-value.ts";
import { parseTemplate, type Operand, type Pipe, type TemplateNode } from "./parse-template.ts";
import { CallFailure, templateFunctions, type TemplateFunction } from "./template-functions.ts";

const lazyFunctions = ["and", "or"];

/**
 * A `--format` template as a function from a value to text: Go's text/template with Docker's functions. The word `json` stands for
 * `{{json .}}`. Asking a plain object for a field that it has not is USAGE, a `Map` answers `<no value>`. `functions` take the
 * place of those of the same name, or come to them.
 */
export function compileTemplate(
  template: string,
  functions: Readonly<Record<string, TemplateFunction>> = {},
): (value: unknown) => string {
  const all = { ...templateFunctions, ...functions };
  const nodes = parseTemplate(template === "json" ? "{{json .}}" : template, new Set([...Object.keys(all), ...lazyFunctions]));
  return (value) => {
    const out: string[] = [];
    run(nodes, { dot: value, root: value, scope: new Map([["$", value]]), functions: all, out });
    return out.join("");
  };
}

interface Frame {
  readonly dot: unknown;
  readonly root: unknown;
  readonly scope: Map<string, unknown>;
  readonly functions: Readonly<Record<string, TemplateFunction>>;
  readonly out: string[];
}

type Flow = "next" | "break" | "continue";

function run(nodes: readonly TemplateNode[], frame: Frame): Flow {
  for (const node of nodes) {
    switch (node.kind) {
      case "text":
        frame.out.push(node.text);
        break;
      case "print": {
        const value = evaluate(node.pipe, frame);
        if (node.pipe.variables.length === 0) frame.out.push(formatGoValue(value));
        break;
      }
      case "break":
      case "continue":
        return node.kind;
      case "range":
        repeat(node, frame);
        break;
      case "if":
      case "with": {
        const inner = { ...frame, scope: childScope(frame.scope) };
        const value = evaluate(node.pipe, inner);
        const flow = isTrue(value)
          ? run(node.body, node.kind === "with" ? { ...inner, dot: value } : inner)
          : run(node.other, inner);
        if (flow !== "next") return flow;
      }
    }
  }
  return "next";
}

function repeat({ pipe, body, other }: Extract<TemplateNode, { readonly kind: "if" | "with" | "range" }>, frame: Frame): void {
  const scope = childScope(frame.scope);
  const value = evaluate({ ...pipe, variables: [] }, { ...frame, scope });
  const entries = entriesOf(value, pipe);
  if (entries.length === 0) {
    run(other, { ...frame, scope });
    return;
  }
  const [first, second] = pipe.variables;
  for (const [key, item] of entries) {
    const own = childScope(scope);
    if (second !== undefined) own.set(second, item);
    if (first !== undefined) own.set(first, second === undefined ? item : key);
    if (run(body, { ...frame, dot: item, scope: own }) === "break") return;
  }
}

/** Keys of maps come in order. */
function entriesOf(value: unknown, pipe: Pipe): readonly (readonly [unknown, unknown])[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return [...value.entries()];
  const entries: readonly (readonly [string, unknown])[] | undefined =
    value instanceof Map ? [...(value as Map<string, unknown>)] : typeof value === "object" ? Object.entries(value) : undefined;
  if (entries === undefined) throw executionError(pipe.text, `range can't iterate over ${formatGoValue(value)}`);
  return entries.toSorted(([left], [right]) => (left < right ? -1 : 1));
}

function evaluate(pipe: Pipe, frame: Frame): unknown {
  let value: unknown;
  pipe.commands.forEach((command, index) => {
    value = evaluateCommand(command, pipe, frame, index === 0 ? [] : [value]);
  });
  for (const name of pipe.variables) assign(frame.scope, name, value, pipe);
  return value;
}

function evaluateCommand([first, ...rest]: readonly Operand[], pipe: Pipe, frame: Frame, piped: readonly unknown[]): unknown {
  if (first === undefined) return undefined;
  if (first.base.kind !== "call") {
    if (rest.length > 0 || piped.length > 0) throw executionError(pipe.text, "can't give argument to non-function");
    return valueOf(first, pipe, frame);
  }
  return call(
    first.base.name,
    [...rest.map((operand) => () => valueOf(operand, pipe, frame)), ...piped.map((value) => () => value)],
    pipe,
    frame,
  );
}

function call(name: string, args: readonly (() => unknown)[], pipe: Pipe, frame: Frame): unknown {
  if (lazyFunctions.includes(name)) {
    let value: unknown;
    for (const arg of args) {
      value = arg();
      if (isTrue(value) === (name === "or")) return value;
    }
    return value;
  }
  const found = frame.functions[name];
  if (found === undefined) throw executionError(pipe.text, `${name} is not a defined function`);
  try {
    return found(...args.map((arg) => arg()));
  } catch (error) {
    if (error instanceof CallFailure) throw executionError(pipe.text, `error calling ${name}: ${error.message}`);
    throw error;
  }
}

function valueOf({ base, fields }: Operand, pipe: Pipe, frame: Frame): unknown {
  let value: unknown;
  if (base.kind === "dot") value = frame.dot;
  else if (base.kind === "constant") ({ value } = base);
  else if (base.kind === "pipe") value = evaluate(base.pipe, frame);
  else if (base.kind === "call") value = call(base.name, [], pipe, frame);
  else if (frame.scope.has(base.name)) value = frame.scope.get(base.name);
  else throw executionError(pipe.text, `undefined variable ${JSON.stringify(base.name)}`);
  return fields.reduce((object, key) => fieldOf(object, key, pipe), value);
}

function fieldOf(object: unknown, key: string, pipe: Pipe): unknown {
  if (object instanceof Map) return (object as Map<string, unknown>).get(key);
  if (typeof object === "object" && object !== null && Object.hasOwn(object, key))
    return (object as Record<string, unknown>)[key];
  throw executionError(pipe.text, `there is no field ${key} here`);
}

/** A scope writes through to those around it: that is what `=` is for, beside `:=`. */
class Scope extends Map<string, unknown> {
  readonly around: Map<string, unknown>;
  constructor(around: Map<string, unknown>) {
    super();
    this.around = around;
  }
  override has(name: string): boolean {
    return super.has(name) || this.around.has(name);
  }
  override get(name: string): unknown {
    return super.has(name) ? super.get(name) : this.around.get(name);
  }
  holder(name: string): Map<string, unknown> {
    if (super.has(name)) return this;
    return this.around instanceof Scope ? this.around.holder(name) : this.around;
  }
}

function childScope(scope: Map<string, unknown>): Map<string, unknown> {
  return new Scope(scope);
}

function assign(scope: Map<string, unknown>, name: string, value: unknown, { declares, text }: Pipe): void {
  if (declares) scope.set(name, value);
  else if (!scope.has(name)) throw executionError(text, `undefined variable ${JSON.stringify(name)}`);
  else (scope instanceof Scope ? scope.holder(name) : scope).set(name, value);
}

function executionError(text: string, message: string): VarveError {
  return new VarveError("USAGE", `template: {{${text}}}: ${message}`);
}
