import type { Instruction, Linter } from "../dockerfile/index.ts";
import { VarveError } from "../errors/index.ts";
import { compileArg } from "./args.ts";
import { ensurePath } from "./base-image.ts";
import {
  compileCmd,
  compileEntrypoint,
  compileEnv,
  compileHealthcheck,
  compileLabel,
  compileOnbuild,
  compileStopSignal,
  compileVolume,
} from "./config.ts";
import type { Compilation } from "./compilation.ts";
import { compileCopy } from "./copy.ts";
import { splitVariable, withVariable } from "./environment.ts";
import { compileExpose } from "./expose.ts";
import { addHistory } from "./history.ts";
import { lintRepeated } from "./lint.ts";
import { folderAsRoot } from "./named-contexts.ts";
import { compileRun } from "./run.ts";
import type { Command, StageState } from "./stage.ts";
import { compileUser, compileWorkdir, enterDirectory } from "./workdir.ts";

/** Compiles a stage whose base and sources are compiled. */
export function compileStage(stage: StageState, compilation: Compilation): void {
  inherit(stage);
  if (stage.folder !== undefined && stage.commands.some(({ instruction }) => writesRoot(instruction))) {
    stage.root = folderAsRoot(stage.folder);
    stage.folder = undefined;
  }
  stage.platform ??= compilation.targetPlatform;
  ensurePath(stage);
  const { Env = [], WorkingDir = "", User = "" } = stage.image.config;
  for (const entry of Env) stage.variables = withVariable(stage.variables, ...splitVariable(entry));
  if (WorkingDir !== "") enterDirectory(stage, WorkingDir);
  if (User !== "") stage.user = User;
  for (const command of stage.commands) {
    const linter = compilation.linter.within(command.instruction.docComment);
    const scoped = linter === compilation.linter ? compilation : { ...compilation, linter };
    try {
      lintOnce(stage, command.instruction, linter);
      compileInstruction(stage, command, scoped);
    } catch (error) {
      throw error instanceof VarveError ? error.at(command.instruction.where) : error;
    }
  }
  stage.isDone = true;
}

function writesRoot({ kind }: Instruction): boolean {
  return kind === "run" || kind === "copy" || kind === "add" || kind === "workdir";
}

/** What a stage takes over from the stage that it is based on (S05): all but the triggers. */
function inherit(stage: StageState): void {
  const { base } = stage;
  if (base === undefined) {
    delete stage.image.config.OnBuild;
    return;
  }
  stage.root = base.root;
  stage.folder = base.folder;
  stage.rootPlatform = base.rootPlatform;
  stage.platform = base.platform;
  stage.variables = base.variables;
  stage.directory = base.directory;
  stage.user = base.user;
  stage.image = structuredClone(base.image);
  delete stage.image.config.OnBuild;
  stage.history = structuredClone(base.history);
  stage.declaredArgs = base.declaredArgs;
  stage.isBaseGuessed = base.isBaseGuessed;
  stage.hasWorkdir = base.hasWorkdir;
}

/** Of these only the last in a stage counts. */
function lintOnce(stage: StageState, instruction: Instruction, linter: Linter): void {
  const { kind, keyword } = instruction;
  if (kind !== "cmd" && kind !== "entrypoint" && kind !== "healthcheck") return;
  const earlier = stage.lastOfKind.get(kind);
  if (earlier !== undefined) lintRepeated(keyword, { linter, earlier: earlier.where });
  stage.lastOfKind.set(kind, instruction);
}

function compileInstruction(stage: StageState, command: Command, compilation: Compilation): void {
  const { instruction } = command;
  switch (instruction.kind) {
    case "arg":
      return compileArg(stage, instruction, compilation);
    case "env":
      return compileEnv(stage, instruction, compilation);
    case "label":
      return compileLabel(stage, instruction, compilation);
    case "run":
      return compileRun(stage, instruction, command, compilation);
    case "copy":
    case "add":
      return compileCopy(stage, instruction, command, compilation);
    case "workdir":
      return compileWorkdir(stage, instruction, command, compilation);
    case "user":
      return compileUser(stage, instruction, compilation);
    case "cmd":
      return compileCmd(stage, instruction, compilation);
    case "entrypoint":
      return compileEntrypoint(stage, instruction, compilation);
    case "healthcheck":
      return compileHealthcheck(stage, instruction, compilation);
    case "expose":
      return compileExpose(stage, instruction, compilation);
    case "volume":
      return compileVolume(stage, instruction, compilation);
    case "stopsignal":
      return compileStopSignal(stage, instruction, compilation);
    case "onbuild":
      return compileOnbuild(stage, instruction);
    case "shell":
      stage.image.config.Shell = [...instruction.args];
      return addHistory(stage, compilation, `SHELL [${instruction.args.join(" ")}]`, {
        hasLayer: false,
      });
    case "maintainer":
      stage.image.author = instruction.name;
      return addHistory(stage, compilation, `MAINTAINER ${instruction.name}`, { hasLayer: false });
    case "from":
      throw new TypeError("FROM is no instruction of a stage");
  }
}
