import type { Io } from "./io.ts";

/** Asks on stdout and reads one line; only `y` means yes, and no answer means no. */
export async function confirm(question: string, io: Io): Promise<boolean> {
  io.stdout.print(`${question} [y/N] `);
  let answer = "";
  for await (const chunk of io.stdin.chunks()) {
    answer += Buffer.from(chunk).toString();
    if (answer.includes("\n")) break;
  }
  return /^y(?:es)?$/i.test((answer.split("\n")[0] ?? "").trim());
}
