import {
  expandWord,
  nearest,
  parseTrigger,
  type Expansion,
  type FromInstruction,
  type Instruction,
  type Linter,
} from "../dockerfile/index.ts";
import { VarveError, type SourceRange } from "../errors/index.ts";
import { parsePlatform, type Platform } from "../oci/index.ts";
import { invalidValue, type Compilation } from "./compilation.ts";
import { lookupIn } from "./environment.ts";
import { findNamedContext } from "./named-contexts.ts";
import { lintPlatformFlag, lintUnsetFromArgs } from "./lint.ts";
import { cloneStageOutline, createStageOutline } from "./outline.ts";
import { createStage, type Command, type StageState } from "./stage.ts";

/** Makes the stages of the file, with the bases and the commands that they name; nothing is resolved yet. */
export function planStages(compilation: Compilation): void {
  const { dockerfile, stages } = compilation;
  for (const [index, { from, instructions }] of dockerfile.stages.entries()) {
    const linter = compilation.linter.within(from.docComment);
    const expand = expandFrom(from, linter, compilation);
    const { value: baseName, matched } = expand(from.base);
    if (baseName === "")
      throw invalidValue(
        `base name (${from.base}) should not be blank`,
        from.where,
        "give the ARG a default value, or pass it with --build-arg",
      );
    const platform = from.platform === undefined ? undefined : expand(from.platform);
    if (from.platform !== undefined && platform !== undefined) {
      const facts = { globals: compilation.globals, host: compilation.options.buildPlatform, linter, where: from.where };
      lintPlatformFlag(from.platform, { ...platform, ...facts, stageName: from.name ?? "" });
    }
    // Names are stored in lower case but looked up as written (Y11)
    const stagePlatform = platform && readPlatform(platform.value, from, compilation);
    const replacement =
      from.name === undefined
        ? undefined
        : findNamedContext(from.name, stagePlatform ?? compilation.targetPlatform, compilation.namedContexts);
    const base = replacement === undefined ? compilation.stagesByName.get(baseName) : undefined;
    const stage = createStage({
      from,
      where: from.where,
      baseName,
      base,
      replacement,
      label: from.name ?? `stage-${index}`,
      platform: stagePlatform,
      isIgnoringCache: ignoresCache(from.name ?? "", compilation),
      outline: base === undefined ? createStageOutline(compilation.globalArgs) : cloneStageOutline(base.outline),
    });
    for (const name of [...matched, ...(platform?.matched ?? [])]) stage.outline.used.add(name);
    stage.stepCount = (baseName !== "scratch" && stage.base === undefined ? 1 : 0) + instructions.filter(isStep).length;
    stages.push(stage);
    if (from.name !== undefined) compilation.stagesByName.set(from.name, stage);
  }
  for (const [index, { instructions }] of dockerfile.stages.entries()) {
    const stage = stages[index];
    if (stage !== undefined)
      stage.commands = instructions.map((instruction) => linkCommand(stage, instruction, { compilation, isTrigger: false }));
  }
  // what stands in for a stage needs nothing of what the stage does
  for (const stage of stages) if (stage.replacement !== undefined) stage.dependencies.clear();
  refuseCycles(stages);
  const [only, ...others] = stages;
  if (only !== undefined && others.length === 0 && !only.commands.some(hasMount)) only.label = "";
}

/** Puts the ONBUILD triggers of a stage's base before its own commands (I17). */
export function addTriggers(stage: StageState, triggers: readonly string[], compilation: Compilation): void {
  const { where } = stage;
  const commands = triggers.map((trigger) => {
    const instruction = parseTrigger(trigger, { file: compilation.dockerfile.file, where });
    return linkCommand(stage, instruction, { compilation, isTrigger: true });
  });
  stage.commands = [...commands, ...stage.commands];
  stage.stepCount += commands.length;
  refuseCycles(compilation.stages);
}

/** The stage to build (S02). */
export function findTarget(compilation: Compilation): StageState {
  const { options, stages, stagesByName, dockerfile } = compilation;
  const { target } = options;
  const last = stages[dockerfile.stages.length - 1];
  if (target === undefined || target === "") {
    if (last === undefined) throw new TypeError("a Dockerfile has at least one stage");
    return last;
  }
  const found = stagesByName.get(target.toLowerCase());
  if (found !== undefined) return found;
  const near = nearest(target, stagesByName.keys(), { caseSensitive: false });
  const names = [...stagesByName.keys()];
  const known = names.length === 0 ? "no stage of the Dockerfile has a name" : `the stages are ${names.join(", ")}`;
  throw new VarveError("FRONTEND_TARGET_UNKNOWN", `target stage "${target}" could not be found`, {
    hint: near === undefined ? known : `did you mean ${near}?`,
    details: { target, stages: names },
  });
}

/** Expands a word of FROM with the global arguments, and warns of those that are not declared. */
function expandFrom({ where }: FromInstruction, linter: Linter, compilation: Compilation): (word: string) => Expansion {
  const { dockerfile, globals, globalArgs } = compilation;
  const declared = new Set([...globals.keys(), ...globalArgs.keys()]);
  return (word) => {
    const expansion = expandWord(word, lookupIn(globals), { escape: dockerfile.escape, where });
    lintUnsetFromArgs(expansion.unmatched, { declared, linter, where });
    return expansion;
  };
}

function readPlatform(text: string, from: FromInstruction, compilation: Compilation): Platform {
  if (text === "") throw invalidValue(`empty platform value from expression ${from.platform ?? ""}`, from.where);
  try {
    return parsePlatform(text, { host: compilation.options.buildPlatform });
  } catch (error) {
    if (error instanceof VarveError) throw error.at(from.where);
    throw error;
  }
}

function ignoresCache(name: string, { options: { noCache = false } }: Compilation): boolean {
  return typeof noCache === "boolean" ? noCache : noCache.some((wanted) => wanted.toLowerCase() === name);
}

function isStep({ kind }: Instruction): boolean {
  return kind === "run" || kind === "copy" || kind === "add" || kind === "workdir";
}

/** BuildKit counts the source of every mount as a stage, there being one or not: the only stage of a file keeps its label then. */
function hasMount({ instruction }: Command): boolean {
  return instruction.kind === "run" && instruction.mounts.length > 0;
}

/** Finds the stages and images that an instruction reads from, and notes them as dependencies. */
function linkCommand(
  stage: StageState,
  instruction: Instruction,
  { compilation, isTrigger }: { compilation: Compilation; isTrigger: boolean },
): Command {
  const sources: (StageState | undefined)[] = [];
  if (instruction.kind === "copy" && instruction.from !== undefined)
    sources.push(findCopySource(instruction.from, instruction.where, compilation));
  if (instruction.kind === "run") {
    for (const mount of instruction.mounts) {
      const from = mount.fields.findLast(({ key }) => key === "from")?.value;
      sources.push(
        from === undefined || from === ""
          ? undefined
          : (compilation.stagesByName.get(from.toLowerCase()) ?? addImage(from, mount.where, compilation)),
      );
    }
  }
  for (const source of sources) if (source !== undefined) stage.dependencies.set(source, instruction);
  return { instruction, sources, isTrigger };
}

/** `--from` (S03): a number, a stage's name in any letter case, or an image. Never expanded. */
function findCopySource(from: string, where: SourceRange, compilation: Compilation): StageState {
  const { escape } = compilation.dockerfile;
  if (expandWord(from, () => undefined, { escape, where }).value !== from) {
    const hint = "define a new stage with FROM using ARG from global scope, and copy from that";
    throw invalidValue(
      "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround",
      where,
      hint,
    );
  }
  if (/^[+-]?\d+$/.test(from)) {
    const count = compilation.dockerfile.stages.length;
    const stage = compilation.stages.slice(0, count)[Number(from)];
    if (stage === undefined)
      throw invalidValue(`invalid stage index ${Number(from)}`, where, `the Dockerfile has stages 0 to ${count - 1}`);
    return stage;
  }
  return compilation.stagesByName.get(from.toLowerCase()) ?? addImage(from, where, compilation);
}

/** An image that is only read from: a stage without a name. */
function addImage(name: string, where: SourceRange, compilation: Compilation): StageState {
  const known = compilation.stages.find((stage) => stage.from === undefined && stage.baseName === name);
  if (known !== undefined) return known;
  const stage = createStage({
    from: undefined,
    where,
    baseName: name,
    base: undefined,
    label: name,
    platform: undefined,
  });
  compilation.stages.push(stage);
  return stage;
}

/** Stages that need each other cannot be built (S04). Walks with a stack of its own: chains of stages may be long. */
function refuseCycles(stages: readonly StageState[]): void {
  const done = new Set<StageState>();
  for (const start of stages) {
    const open = [start];
    const path = new Map([[start, start.dependencies.entries()]]);
    for (let stage = open.at(-1); stage !== undefined && !done.has(start); stage = open.at(-1)) {
      const next = path.get(stage)?.next();
      if (next === undefined || next.done === true) {
        done.add(stage);
        path.delete(stage);
        open.pop();
        continue;
      }
      const [dependency, instruction] = next.value;
      if (path.has(dependency)) throw cycle(open, dependency, instruction);
      if (done.has(dependency)) continue;
      open.push(dependency);
      path.set(dependency, dependency.dependencies.entries());
    }
  }
}

function cycle(path: readonly StageState[], stage: StageState, { where }: Instruction): VarveError {
  const names = [...path.slice(path.indexOf(stage)), stage].map(({ label }) => label);
  const message = `circular dependency detected on stage: ${stage.label}`;
  return new VarveError("FRONTEND_STAGE_CYCLE", message, { where, hint: names.join(" needs ") });
}
