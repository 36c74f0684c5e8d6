import type { SourceRange } from "../errors/index.ts";
import type { StageState } from "./stage.ts";

/** What a build of a target can be given: what `--call=outline` shows. */
export interface Outline {
  /** The target's name; undefined for a stage without one. */
  readonly name: string | undefined;
  /** From the comment above FROM that begins with the name (P14). */
  readonly description: string | undefined;
  /** In the order of the file. */
  readonly args: readonly OutlineArg[];
  readonly secrets: readonly OutlineNeed[];
  readonly ssh: readonly OutlineNeed[];
}

export interface OutlineArg {
  readonly name: string;
  /** With the build arguments of this build; empty for no value. */
  readonly value: string;
  readonly description: string | undefined;
  readonly where: SourceRange;
}

/** A secret or an SSH agent that a RUN mounts. */
export interface OutlineNeed {
  readonly name: string;
  readonly required: boolean;
  readonly where: SourceRange;
}

/** An argument, and those that its default value is made of. */
export interface ArgFact extends OutlineArg {
  readonly needs: ReadonlySet<string>;
}

/** What is known of a stage for its outline. */
export interface StageOutline {
  /** Every argument in reach, by name. */
  readonly args: Map<string, ArgFact>;
  /** The names of those that the stage uses. */
  readonly used: Set<string>;
  readonly secrets: Map<string, OutlineNeed>;
  readonly ssh: Map<string, OutlineNeed>;
}

export function createStageOutline(args: ReadonlyMap<string, ArgFact>): StageOutline {
  return { args: new Map(args), used: new Set(), secrets: new Map(), ssh: new Map() };
}

/** What a stage's outline begins with when it is based on another. */
export function cloneStageOutline({ args, used, secrets, ssh }: StageOutline): StageOutline {
  return { args: new Map(args), used: new Set(used), secrets: new Map(secrets), ssh: new Map(ssh) };
}

/** The outline of a compiled target: its own facts, then those of the stages that it needs; the first of a name counts. */
export function outlineOf(target: StageState): Outline {
  const args = new Map<string, ArgFact>();
  const secrets = new Map<string, OutlineNeed>();
  const ssh = new Map<string, OutlineNeed>();
  const seen = new Set<StageState>();
  const open = [target];
  for (let stage = open.pop(); stage !== undefined; stage = open.pop()) {
    if (seen.has(stage)) continue;
    seen.add(stage);
    for (const name of withNeeds(stage.outline)) keepFirst(args, name, stage.outline.args.get(name));
    for (const [name, need] of stage.outline.secrets) keepFirst(secrets, name, need);
    for (const [name, need] of stage.outline.ssh) keepFirst(ssh, name, need);
    open.push(...[...stage.dependencies.keys()].toReversed());
    if (stage.base !== undefined) open.push(stage.base);
  }
  const name = target.from?.name;
  return {
    name,
    description: describe(target.from?.docComment ?? [], name),
    args: inOrder(args).map(({ needs: _needs, ...arg }) => arg),
    secrets: inOrder(secrets),
    ssh: inOrder(ssh),
  };
}

/** What a comment says of a name: the rest of the first line that begins with it (P14). */
export function describe(comment: readonly string[], name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  return comment.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
}

function withNeeds({ args, used }: StageOutline): Set<string> {
  const all = new Set(used);
  for (const name of all) for (const need of args.get(name)?.needs ?? []) all.add(need);
  return all;
}

function keepFirst<T>(map: Map<string, T>, name: string, value: T | undefined): void {
  if (value !== undefined && !map.has(name)) map.set(name, value);
}

function inOrder<T extends { readonly where: SourceRange }>(map: ReadonlyMap<string, T>): T[] {
  return [...map.values()].toSorted((left, right) => left.where.startLine - right.where.startLine);
}
