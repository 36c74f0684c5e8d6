import { VarveError } from "../../errors/index.ts";
import type { Io } from "../io.ts";

/** Flags of all commands that connect streams. */
export const streamFlags = {
  "detach-keys": { kind: "string", help: 'Override the key sequence for detaching a container (default "ctrl-p,ctrl-q")' },
} as const;

/** A program with a terminal that wants our keys: they must come from one. (docker CLI, CheckTty) */
export function requireTerminal(io: Io): void {
  if (io.stdin.isTerminal) return;
  throw new VarveError("CONTAINER_NO_TERMINAL", "the input device is not a TTY", {
    hint: "leave out -t, or run it in a terminal",
    details: { exitCode: 1 },
  });
}

/** Let go of by its keys: said, and no success, since nobody knows how the program ends. (docker CLI, term.EscapeError) */
export function reportDetached(io: Io): number {
  io.stderr.print("read escape sequence\n");
  return 1;
}

/** What `--attach` asks for; without it, the outputs, and the input with `-i`. Fails with USAGE for what is no stream. */
export function readAttached(
  names: readonly string[],
  interactive: boolean,
): { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean } {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  for (const name of wanted) {
    if (!["stdin", "stdout", "stderr"].includes(name)) {
      const message = `invalid argument "${name}" for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR`;
      throw new VarveError("USAGE", message);
    }
  }
  if (wanted.size === 0) return { stdin: interactive, stdout: true, stderr: true };
  return { stdin: wanted.has("stdin"), stdout: wanted.has("stdout"), stderr: wanted.has("stderr") };
}
