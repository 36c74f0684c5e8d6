import type { UserInstruction, WorkdirInstruction } from "../dockerfile/index.ts";
import { expandIn, linesOf, type Compilation } from "./compilation.ts";
import { fileNode, parseOwner } from "./file-node.ts";
import { addHistory } from "./history.ts";
import { lintWorkdir } from "./lint.ts";
import { countStep, stepName, stepText } from "./naming.ts";
import { named } from "./node.ts";
import { resolvePath } from "./paths.ts";
import type { Command, StageState } from "./stage.ts";

/** Moves to a directory, relative to the last one, without making it: what a base image's WorkingDir does. */
export function enterDirectory(stage: StageState, path: string): string {
  if (stage.platform?.os === "windows") return enterWindowsDirectory(stage, path);
  // An absolute path stays as written, as in BuildKit: only relative ones are joined and cleaned
  const directory = path.startsWith("/") ? path : resolvePath(stage.image.config.WorkingDir ?? "/", path);
  stage.image.config.WorkingDir = directory;
  stage.directory = directory;
  return directory;
}

/** The config of a Windows image has backslashes and no drive; within the build the same path has slashes. */
function enterWindowsDirectory(stage: StageState, path: string): string {
  const withSlashes = (text: string): string => text.replaceAll("\\", "/").replace(/^[Cc]:/, "");
  const wanted = withSlashes(path);
  const directory = wanted.startsWith("/") ? wanted : resolvePath(withSlashes(stage.image.config.WorkingDir || "/"), wanted);
  stage.image.config.WorkingDir = directory.replaceAll("/", "\\");
  stage.directory = directory;
  return directory;
}

/** WORKDIR (I12): moves there, and makes the directory with its parents, owned by the current user. */
export function compileWorkdir(
  stage: StageState,
  instruction: WorkdirInstruction,
  command: Command,
  compilation: Compilation,
): void {
  const { where, original } = instruction;
  const path = expandIn(stage, compilation, where)(instruction.path);
  if (!stage.hasWorkdir) lintWorkdir(path, { linter: compilation.linter, where });
  stage.hasWorkdir = true;
  const directory = enterDirectory(stage, path);
  if (directory === "/") {
    addHistory(stage, compilation, "WORKDIR /", { hasLayer: false });
    return;
  }
  const { variables, platform, user } = stage;
  countStep(stage);
  const text = stepText(original, variables, { escape: compilation.dockerfile.escape });
  const name = stepName(stage, text, {
    multiPlatform: compilation.options.multiPlatform ?? false,
    platform,
    variables,
    isTrigger: command.isTrigger,
  });
  const timestamp = compilation.epoch === undefined ? -1 : compilation.epoch * 1e9;
  const mkdir = { path: resolvePath("/", directory), mode: 0o755, makeParents: true, timestamp };
  const owner = user === "" ? undefined : parseOwner(user);
  stage.root = fileNode(stage.root, [{ kind: "mkdir", mkdir, owner }], {
    metadata: named(name, ["file.base"]),
    lines: linesOf(where),
  });
  addHistory(stage, compilation, `WORKDIR ${directory}`, { hasLayer: true });
}

/** USER (I11). */
export function compileUser(stage: StageState, instruction: UserInstruction, compilation: Compilation): void {
  const user = expandIn(stage, compilation, instruction.where)(instruction.user);
  stage.user = user;
  stage.image.config.User = user;
  addHistory(stage, compilation, `USER ${user}`, { hasLayer: false });
}
