import { formatPlatform, normalizePlatform, parsePlatform, type Platform } from "../oci/index.ts";
import { expandWord, type ExpandOptions } from "../dockerfile/index.ts";
import { isVarveError } from "../errors/index.ts";
import { lookupIn, type Variables } from "./environment.ts";
import type { StageState } from "./stage.ts";

interface NameOptions {
  readonly multiPlatform: boolean;
  readonly platform: Platform | undefined;
  readonly variables: Variables;
  readonly isTrigger: boolean;
}

/** Counts one step of the stage; call once per step, before {@link stepName}. */
export function countStep(stage: StageState): void {
  if (stage.stepCount > 0) stage.stepIndex++;
}

/** `[linux/arm64->amd64 stage 2/10] ONBUILD text` (S09), for the step that was counted last. */
export function stepName(stage: StageState, text: string, options: NameOptions): string {
  if (stage.stepCount === 0) return text;
  const { multiPlatform, platform, variables, isTrigger } = options;
  const width = String(stage.stepCount).length;
  const parts = [
    ...(multiPlatform && platform !== undefined ? [formatPlatform(platform) + crossTarget(platform, variables)] : []),
    ...(stage.label === "" ? [] : [stage.label]),
    `${String(stage.stepIndex).padStart(width)}/${stage.stepCount}`,
  ];
  return `[${parts.join(" ")}] ${isTrigger ? "ONBUILD " : ""}${text}`;
}

/** The instruction with its variables filled in and its keyword in upper case; as written when it cannot be expanded. */
export function stepText(original: string, variables: Variables, options: ExpandOptions): string {
  let text = original;
  try {
    text = expandWord(original, lookupIn(variables), options).value;
  } catch (error) {
    // what only progress shows must not fail the build
    if (!isVarveError(error)) throw error;
  }
  const blank = text.indexOf(" ");
  return blank < 0 ? text.toUpperCase() : text.slice(0, blank).toUpperCase() + text.slice(blank);
}

/** `->amd64` when the TARGET variables in scope name another platform than the step runs on: it compiles across. */
function crossTarget(base: Platform, variables: Variables): string {
  const target = targetOf(base, variables);
  if (target === undefined) return "";
  if (target.os !== base.os) return `->${formatPlatform(target)}`;
  if (target.architecture === base.architecture) return "";
  return `->${target.architecture}${target.variant === undefined ? "" : `/${target.variant}`}`;
}

function targetOf(base: Platform, variables: Variables): Platform | undefined {
  const whole = variables.get("TARGETPLATFORM");
  if (whole !== undefined) {
    try {
      return parsePlatform(whole, { host: base });
    } catch (error) {
      if (!isVarveError(error)) throw error;
    }
  }
  const [os, architecture, variant] = ["TARGETOS", "TARGETARCH", "TARGETVARIANT"].map((name) => variables.get(name));
  if (os === undefined && architecture === undefined && variant === undefined) return undefined;
  return normalizePlatform({
    os: os || base.os,
    architecture: architecture || base.architecture,
    ...(variant ? { variant } : {}),
  });
}
