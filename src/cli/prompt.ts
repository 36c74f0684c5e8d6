import { spawnSync } from "node:child_process";
import { VarveError } from "../errors/index.ts";
import { unlessAborted } from "../flow/index.ts";
import type { Io } from "./io.ts";

/** Asks on stderr and reads lines from the terminal. */
export interface Prompt {
  /** One line, without its end. `isSecret`: what is typed does not show. */
  ask(question: string, options?: { readonly isSecret?: boolean }): Promise<string>;
}

export function createPrompt(io: Pick<Io, "stdin" | "stderr" | "signal">): Prompt {
  const chunks = io.stdin.chunks()[Symbol.asyncIterator]();
  let rest = "";
  const readLine = async (): Promise<string> => {
    for (;;) {
      const end = rest.indexOf("\n");
      if (end >= 0) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 1);
        return line.replace(/\r$/, "");
      }
      const next = await unlessAborted(chunks.next(), { signal: io.signal });
      if (next.done === true) throw new VarveError("USAGE", "the input ended before the answer");
      rest += Buffer.from(next.value).toString();
    }
  };
  return {
    async ask(question, { isSecret = false } = {}) {
      io.stderr.print(question);
      if (!isSecret) return await readLine();
      setEcho(false);
      try {
        return await readLine();
      } finally {
        setEcho(true);
        io.stderr.print("\n");
      }
    },
  };
}

/** The terminal's own setting: lines are still edited by it. */
function setEcho(on: boolean): void {
  spawnSync("stty", [on ? "echo" : "-echo"], { stdio: ["inherit", "ignore", "ignore"] });
}
