import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";

export const load = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    input: { kind: "string", short: "i", help: "Read from a tar archive file instead of STDIN" },
    platform: { kind: "csv", help: "Load only these platforms", only: [] },
    quiet: { kind: "bool", short: "q", help: "Do not show the loading" },
  },
  args: { min: 0, max: 0 },
  async run({ flags, io, openStore }) {
    if (flags.input === undefined && io.stdin.isTerminal) {
      throw new VarveError("USAGE", "requested load from stdin, but stdin is a terminal", { hint: "use -i FILE or redirect" });
    }
    const source = flags.input === undefined ? io.stdin.chunks() : readFile(resolve(io.cwd, flags.input));
    const store = await openStore();
    for (const name of await store.images.load(source, { signal: io.signal })) {
      io.stdout.print(`${name.startsWith("sha256:") ? "Loaded image ID" : "Loaded image"}: ${name}\n`);
    }
  },
});

async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  const stream = createReadStream(path, { highWaterMark: 1024 * 1024 });
  try {
    yield* stream as AsyncIterable<Uint8Array>;
  } catch (cause) {
    if (cause instanceof Error && "syscall" in cause) throw new VarveError("FILE_UNREADABLE", `cannot read ${path}`, { cause });
    throw cause;
  }
}
