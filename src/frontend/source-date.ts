import { expandWord, sourceDateEpochArg, type Dockerfile, type Stage } from "../dockerfile/index.ts";
import { VarveError } from "../errors/index.ts";
import { buildArg } from "./args.ts";
import { invalidValue, type ScopeFacts } from "./compilation.ts";
import { lookupIn, withVariable, type Variables } from "./environment.ts";
import { findNamedContext, type NamedContexts } from "./named-contexts.ts";
import type { Output } from "./node.ts";
import type { FrontendOptions } from "./options.ts";
import { fetchedSource, remoteContext } from "./remote-context.ts";
import { addedRepository, checkRemotes, findRemote, httpFile } from "./remote-source.ts";

/** What SOURCE_DATE_EPOCH came to, and the arguments with that number in place of what was written. */
export interface SourceDate {
  /** Seconds since 1970; undefined for none. */
  readonly epoch: number | undefined;
  readonly scope: ScopeFacts;
  readonly globals: Variables;
}

interface Facts {
  readonly dockerfile: Dockerfile;
  readonly options: FrontendOptions;
  readonly scope: ScopeFacts;
  readonly globals: Variables;
  readonly namedContexts: NamedContexts;
  readonly signal: AbortSignal;
}

/**
 * SOURCE_DATE_EPOCH (A06, Y12): the option, else the build argument, else the global argument. A number of seconds; or
 * `context`, the name of a named context, or of a stage that is nothing but one remote ADD onto scratch: then the date of
 * what is fetched there. Folders and images have no such date, and leave it unset, as the empty text does.
 */
export async function resolveSourceDate(facts: Facts): Promise<SourceDate> {
  const { options, scope, globals } = facts;
  if (options.sourceDateEpoch !== undefined) return { epoch: options.sourceDateEpoch, scope, globals };
  const text = buildArg(scope.buildArgs, sourceDateEpochArg) ?? globals.get(sourceDateEpochArg) ?? "";
  const epoch = text === "" ? undefined : (readSeconds(text) ?? (await readDate(text, facts)));
  const { [sourceDateEpochArg]: given, ...buildArgs } = scope.buildArgs;
  const value = epoch === undefined ? {} : { [sourceDateEpochArg]: String(epoch) };
  const others = new Map(globals);
  if (others.has(sourceDateEpochArg) && epoch === undefined) others.delete(sourceDateEpochArg);
  else if (others.has(sourceDateEpochArg)) others.set(sourceDateEpochArg, String(epoch));
  return { epoch, scope: given === undefined ? scope : { ...scope, buildArgs: { ...buildArgs, ...value } }, globals: others };
}

/** The years 0 to 9999, which RFC 3339 can write. */
const secondsRange = { from: -62_167_219_200, to: 253_402_300_799 };

function readSeconds(text: string): number | undefined {
  if (!/^[-+]?\d+$/.test(text)) return undefined;
  const seconds = Number(text);
  if (seconds >= secondsRange.from && seconds <= secondsRange.to) return seconds + 0; // -0 is 0
  throw invalidValue(`${sourceDateEpochArg} ${text} is in no year of four digits`, undefined);
}

async function readDate(text: string, facts: Facts): Promise<number | undefined> {
  const { options, signal } = facts;
  const found = findSource(text, facts);
  if (found === undefined) return undefined;
  const { output, title } = found;
  const op = output.node.compose(() => {
    throw new TypeError("a source has no inputs");
  });
  return op.kind === "source" ? await options.dateOfSource?.(op.source, { title, signal }) : undefined;
}

/** The source that the text names; undefined for one that has no date. */
function findSource(text: string, facts: Facts): { readonly output: Output; readonly title: string } | undefined {
  const { dockerfile, options, scope, globals, namedContexts } = facts;
  if (text === "context") {
    const title = "[internal] resolve main build context metadata";
    return options.context === undefined ? undefined : { output: fetchedSource(options.context), title };
  }
  const named = findNamedContext(text, scope.targetPlatform, namedContexts);
  if (named !== undefined) {
    const remote = named.context.kind === "remote" ? remoteContext(named.context.url, {}) : undefined;
    const title = `[internal] resolve ${sourceDateEpochArg} named context ${text}`;
    return remote === undefined ? undefined : { output: fetchedSource(remote), title };
  }
  const stage = dockerfile.stages.find(({ from }) => from.name === text.toLowerCase());
  if (stage !== undefined) {
    const title = `[internal] resolve ${sourceDateEpochArg} source stage ${stage.from.nameAsWritten ?? ""}`;
    return { output: sourceOfStage(stage, { dockerfile, scope, globals }), title };
  }
  throw invalidValue(
    `invalid ${sourceDateEpochArg}: ${text}`,
    undefined,
    "give the seconds since 1970, for example those of git log -1 --format=%ct, or context, or the name of a named context or stage",
  );
}

/** What the one ADD of a stage fetches. Stages that are more than that are refused. */
function sourceOfStage(stage: Stage, { dockerfile, scope, globals }: Pick<Facts, "dockerfile" | "scope" | "globals">): Output {
  const { from, instructions } = stage;
  const refuse = (reason: string): VarveError => invalidValue(`${sourceDateEpochArg} stage ${reason}`, from.where);
  let variables: Variables = new Map([...globals].filter(([name]) => name !== sourceDateEpochArg));
  const expand = (word: string): string =>
    expandWord(word, lookupIn(variables), { escape: dockerfile.escape, where: from.where }).value;
  if (expand(from.base) !== "scratch") throw refuse("must use FROM scratch");
  let source: Output | undefined;
  for (const instruction of instructions) {
    if (instruction.kind === "arg") {
      for (const { name, value } of instruction.args) {
        const used = buildArg(scope.buildArgs, name) ?? (value === undefined ? undefined : expand(value));
        if (used !== undefined) variables = withVariable(variables, name, used);
      }
      continue;
    }
    if (instruction.kind !== "add")
      throw refuse(`does not meet source-only requirements: unsupported ${instruction.kind} instruction`);
    const [text, ...more] = instruction.sources;
    if (source !== undefined) throw refuse("must contain exactly one remote ADD");
    if (text === undefined || more.length + instruction.heredocs.length > 0)
      throw refuse("must contain exactly one remote ADD source");
    const remote = findRemote(expand(text), instruction.where);
    if (remote === undefined) throw refuse("source must be a single HTTP(S) or Git ADD");
    const checksum = expand(instruction.checksum ?? "");
    checkRemotes(instruction, [remote], checksum);
    const node = { checksum, name: "", lines: [] };
    source =
      remote.kind === "git"
        ? addedRepository(remote.reference, instruction, node)
        : httpFile(remote.url, { ...node, where: instruction.where }).output;
  }
  if (source === undefined) throw refuse("must contain exactly one remote ADD");
  return source;
}
