import type {
  CommandLine,
  EntrypointInstruction,
  CmdInstruction,
  EnvInstruction,
  HealthcheckInstruction,
  LabelInstruction,
  OnbuildInstruction,
  StopSignalInstruction,
  VolumeInstruction,
} from "../dockerfile/index.ts";
import type { HealthConfig } from "../oci/index.ts";
import { expandIn, invalidValue, type Compilation } from "./compilation.ts";
import { splitVariable, withVariable } from "./environment.ts";
import { formatDuration, quote, quoteList, quoteRune } from "./go-text.ts";
import { addHistory } from "./history.ts";
import { lintLegacyPair, lintSecretName, lintShellForm } from "./lint.ts";
import { isSignal } from "./signals.ts";
import type { StageState } from "./stage.ts";

const configOnly = { hasLayer: false };

/** ENV (I07): sets variables for what follows and in the image. The values of one instruction do not see each other. */
export function compileEnv(stage: StageState, instruction: EnvInstruction, compilation: Compilation): void {
  const expand = expandIn(stage, compilation, instruction.where);
  const pairs = instruction.pairs.map(({ key, value }) => ({
    key: expand(key),
    value: expand(value),
  }));
  const { keyword, where } = instruction;
  const { linter } = compilation;
  for (const { key } of pairs) {
    if (instruction.legacy) lintLegacyPair(keyword, { linter, where });
    lintSecretName(key, { instruction: "ENV", linter, where });
  }
  const list = (stage.image.config.Env ??= []);
  for (const { key, value } of pairs) {
    stage.variables = withVariable(stage.variables, key, value);
    const place = list.findIndex((entry) => splitVariable(entry)[0] === key);
    list[place < 0 ? list.length : place] = `${key}=${value}`;
  }
  addHistory(stage, compilation, ["ENV", ...pairs.map(({ key, value }) => `${key}=${value}`)].join(" "), configOnly);
}

/** LABEL (I09). */
export function compileLabel(stage: StageState, instruction: LabelInstruction, compilation: Compilation): void {
  const expand = expandIn(stage, compilation, instruction.where);
  const pairs = instruction.pairs.map(({ key, value }) => [expand(key), expand(value)] as const);
  if (instruction.legacy) lintLegacyPair(instruction.keyword, { linter: compilation.linter, where: instruction.where });
  stage.image.config.Labels = Object.fromEntries([...Object.entries(stage.image.config.Labels ?? {}), ...pairs]);
  addHistory(stage, compilation, ["LABEL", ...pairs.map(([key, value]) => `${key}=${value}`)].join(" "), configOnly);
}

/** CMD (I03). */
export function compileCmd(stage: StageState, instruction: CmdInstruction, compilation: Compilation): void {
  lintCommand(stage, instruction, compilation);
  const args = commandArgs(stage, instruction.command);
  setCommand(stage, "Cmd", args);
  stage.image.config.ArgsEscaped = true;
  stage.hasCommand = true;
  addHistory(stage, compilation, `CMD ${quoteList(args)}`, configOnly);
}

/** ENTRYPOINT (I04): drops an inherited CMD, but not one of the same stage. */
export function compileEntrypoint(stage: StageState, instruction: EntrypointInstruction, compilation: Compilation): void {
  lintCommand(stage, instruction, compilation);
  const args = commandArgs(stage, instruction.command);
  setCommand(stage, "Entrypoint", args);
  if (!stage.hasCommand) delete stage.image.config.Cmd;
  addHistory(stage, compilation, `ENTRYPOINT ${quoteList(args)}`, configOnly);
}

/** A shell that was asked for is no surprise. */
function lintCommand(stage: StageState, instruction: CmdInstruction | EntrypointInstruction, { linter }: Compilation): void {
  const { command, keyword, where } = instruction;
  if (command.form === "shell" && (stage.image.config.Shell ?? []).length === 0) lintShellForm(keyword, { linter, where });
}

/** An empty list clears, as `CMD []` is meant to. */
function setCommand(stage: StageState, field: "Cmd" | "Entrypoint", args: string[]): void {
  if (args.length === 0) delete stage.image.config[field];
  else stage.image.config[field] = args;
}

/** The arguments of a command; the shell form goes through SHELL (I16). */
export function commandArgs(stage: StageState, command: CommandLine): string[] {
  return command.form === "exec" ? [...command.args] : inShell(stage, command.text);
}

/** `text` as one argument of the shell. */
export function inShell(stage: StageState, text: string): string[] {
  const { Shell } = stage.image.config;
  const shell =
    Shell !== undefined && Shell.length > 0 ? Shell : stage.image.os === "windows" ? ["cmd", "/S", "/C"] : ["/bin/sh", "-c"];
  return [...shell, text];
}

/** HEALTHCHECK (I15). */
export function compileHealthcheck(stage: StageState, instruction: HealthcheckInstruction, compilation: Compilation): void {
  const { test, interval = 0, timeout = 0, startPeriod = 0, startInterval = 0, retries = 0 } = instruction;
  const health: HealthConfig = { Test: [...test] };
  if (interval !== 0) health.Interval = interval;
  if (timeout !== 0) health.Timeout = timeout;
  if (startPeriod !== 0) health.StartPeriod = startPeriod;
  if (startInterval !== 0) health.StartInterval = startInterval;
  if (retries !== 0) health.Retries = retries;
  stage.image.config.Healthcheck = health;
  // The fields by %q, as Docker Engine 28 prints the struct
  const durations = [interval, timeout, startPeriod, startInterval].map((duration) => quote(formatDuration(duration)));
  addHistory(stage, compilation, `HEALTHCHECK &{${[quoteList(test), ...durations, quoteRune(retries)].join(" ")}}`, configOnly);
}

/** VOLUME (I13). */
export function compileVolume(stage: StageState, instruction: VolumeInstruction, compilation: Compilation): void {
  const paths = instruction.paths.map(expandIn(stage, compilation, instruction.where));
  if (paths.includes("")) throw invalidValue("VOLUME specified can not be an empty string", instruction.where);
  stage.image.config.Volumes = Object.fromEntries([
    ...Object.entries(stage.image.config.Volumes ?? {}),
    ...paths.map((path) => [path, {}] as const),
  ]);
  addHistory(stage, compilation, `VOLUME [${paths.join(" ")}]`, configOnly);
}

/** STOPSIGNAL (I14). */
export function compileStopSignal(stage: StageState, instruction: StopSignalInstruction, compilation: Compilation): void {
  const signal = expandIn(stage, compilation, instruction.where)(instruction.signal);
  if (!isSignal(signal))
    throw invalidValue(`invalid signal: ${signal}`, instruction.where, "signals are numbers or names like SIGTERM");
  stage.image.config.StopSignal = signal;
  addHistory(stage, compilation, `STOPSIGNAL ${signal}`, configOnly);
}

/** ONBUILD (I17): kept for builds on top of this image; leaves no history. */
export function compileOnbuild(stage: StageState, instruction: OnbuildInstruction): void {
  stage.image.config.OnBuild = [...(stage.image.config.OnBuild ?? []), instruction.trigger];
}
