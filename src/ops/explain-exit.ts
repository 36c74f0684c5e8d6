/** What is known of a command that failed. */
export interface FailedCommand {
  readonly exitCode: number;
  /** Name of the signal, where one ended it. */
  readonly killedBy: string | undefined;
  /** The end of what it printed on stderr. */
  readonly lastOutput: string;
  /** The platform of the step, as people write it. */
  readonly platform: string | undefined;
}

/** What usually lies behind an exit code, or behind what shells and runtimes say: the codes of POSIX.1-2024, sh, "Exit Status". */
export function explainExit({ exitCode, killedBy, lastOutput, platform }: FailedCommand): string | undefined {
  if (/exec format error/i.test(lastOutput)) {
    const wanted = platform === undefined ? "this platform" : platform;
    return `a program is not made for ${wanted}, or a script lacks its first line (#!/bin/sh); look at the platform of the base image and of what was copied`;
  }
  if (/no space left on device|disk quota exceeded/i.test(lastOutput)) {
    return "no room is left, on the disk of the store or in a tmpfs of the step: free some, for example with varve builder prune";
  }
  const missing = notFound.exec(lastOutput);
  const program = missing?.[1] ?? missing?.[2] ?? missing?.[3];
  if (exitCode === 127 || (program !== undefined && exitCode === 1)) {
    return `${program === undefined ? "a command" : `the command ${program}`} was not found: install it in an earlier step, or look at PATH; a script is not found either when what its first line names is missing`;
  }
  if (exitCode === 126) return "the file is there, but may not be run: give it the mode with RUN chmod +x or COPY --chmod=755";
  if (killedBy === "SIGKILL" || exitCode === 137)
    return "it was killed, most often since memory ran out: let it do less at a time, or give the machine more memory";
  if (killedBy === "SIGSEGV" || exitCode === 139) return "it crashed (SIGSEGV)";
  return undefined;
}

/** How crun, busybox's and dash's, and bash's sentences name a program that is not there. */
const notFound =
  /executable file `([^`]+)` not found|(?:^|\n)\S*sh: (?:\d+: |line \d+: )?(\S+): (?:command )?not found|exec: "([^"]+)": (?:executable file not found|stat )/;
