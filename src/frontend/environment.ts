import type { Environment } from "../dockerfile/index.ts";

/** Variables in the order in which they were last set. Never changed in place: stages share them. */
export type Variables = ReadonlyMap<string, string>;

/** The variables with one more, which moves to the end when it was set before. */
export function withVariable(variables: Variables, name: string, value: string): Variables {
  const next = new Map(variables);
  next.delete(name);
  next.set(name, value);
  return next;
}

/** `NAME=value` of each variable. */
export function toEnvironmentList(variables: Variables): string[] {
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

/** Splits `NAME=value`; without `=` the value is empty. */
export function splitVariable(text: string): [name: string, value: string] {
  const equals = text.indexOf("=");
  return equals < 0 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** The variables as `expandWord` looks them up. */
export function lookupIn(variables: Variables): Environment {
  return Object.assign((name: string) => variables.get(name), { names: () => variables.keys() });
}
