import { readStartFailure } from "../runtime/index.ts";

export interface StartFailure {
  /** In runc's words, whichever runtime it was: tools look for them. */
  readonly message: string;
  /** 127: not found. 126: found, and cannot be started. 125: something else. (docker CLI, "docker run", exit status) */
  readonly exitCode: 125 | 126 | 127;
}

/** What a runtime's complaint about a program that it could not start means. */
export function readRuntimeFailure(complaint: string, program: string): StartFailure {
  const known = readStartFailure(complaint, program) ?? readFolderFailure(complaint);
  const message = known === undefined ? complaint.trim() : `unable to start container process: ${known}`;
  return { message, exitCode: startExitCode(message) };
}

/** Docker's exit code for a start that failed with this message. */
function startExitCode(message: string): 125 | 126 | 127 {
  if (/executable file (.* )?not found|no such file or directory/i.test(message)) return 127;
  if (/permission denied|is a directory|exec format error/i.test(message)) return 126;
  return 125;
}

function readFolderFailure(complaint: string): string | undefined {
  const [, runc, crun, reason] =
    /(?:chdir to cwd \("(.*)"\) set in config\.json failed|chdir(?: to)? [`'"]?(.*?)[`'"]?): (.*)$/im.exec(complaint) ?? [];
  const folder = runc ?? crun;
  return folder === undefined || reason === undefined
    ? undefined
    : `chdir to cwd ("${folder}") set in config.json failed: ${reason.trim().toLowerCase()}`;
}
