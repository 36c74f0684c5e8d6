import {
  checkArg,
  checkCmd,
  checkEntrypoint,
  checkEnv,
  checkExpose,
  checkLabel,
  checkMaintainer,
  checkShell,
  checkStopSignal,
  checkUser,
  checkVolume,
  checkWorkdir,
} from "./check-config.ts";
import { checkAdd, checkCopy } from "./check-files.ts";
import { checkFrom } from "./check-from.ts";
import { checkHealthcheck } from "./check-healthcheck.ts";
import { checkOnbuild } from "./check-onbuild.ts";
import { checkRun } from "./check-run.ts";
import type { Check } from "./check.ts";
import type { Instruction } from "./instructions.ts";
import { didYouMean } from "../errors/index.ts";

const checks: Readonly<Record<string, (check: Check) => Instruction>> = {
  ADD: checkAdd,
  ARG: checkArg,
  CMD: checkCmd,
  COPY: checkCopy,
  ENTRYPOINT: checkEntrypoint,
  ENV: checkEnv,
  EXPOSE: checkExpose,
  FROM: checkFrom,
  HEALTHCHECK: checkHealthcheck,
  LABEL: checkLabel,
  MAINTAINER: checkMaintainer,
  ONBUILD: checkOnbuild,
  RUN: checkRun,
  SHELL: checkShell,
  STOPSIGNAL: checkStopSignal,
  USER: checkUser,
  VOLUME: checkVolume,
  WORKDIR: checkWorkdir,
};

/** The names of all instructions, in upper case and in order. */
export const instructionNames: readonly string[] = Object.keys(checks);

/** Checks one instruction of any kind (P02). Throws DOCKERFILE_UNKNOWN_INSTRUCTION and what its kind throws. */
export function checkInstruction(check: Check): Instruction {
  const { name, keyword, keywordSpan } = check.node;
  if (!Object.hasOwn(checks, name)) {
    const near = didYouMean(keyword, instructionNames, { caseSensitive: false });
    throw check.fail("DOCKERFILE_UNKNOWN_INSTRUCTION", `unknown instruction: ${keyword || "(nothing)"}${near}`, {
      span: keywordSpan,
    });
  }
  return checks[name]!(check);
}
