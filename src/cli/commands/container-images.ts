import { createReadStream, existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { CommitOptions } from "../../containers/index.ts";
import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { createFileAside } from "../file-aside.ts";
import type { FlagValues } from "../flags.ts";
import { optional } from "../store.ts";

const letters = { added: "A", changed: "C", deleted: "D" } as const;

export const diff = defineCommand({
  usage: "CONTAINER",
  flags: {},
  args: { min: 1, max: 1 },
  failureExitCode: 1,
  async run({ args: [name = ""], io, openStore }) {
    const { containers } = await openStore();
    const changes = await containers.changes(name, { signal: io.signal });
    io.stdout.print(changes.map(({ kind, path }) => `${letters[kind]} ${path}\n`).join(""));
  },
});

const changeFlag = {
  kind: "list",
  short: "c",
  help: "Apply a Dockerfile's instruction to the image: CMD, ENV, EXPOSE …",
} as const;

export const commit = defineCommand({
  usage: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
  flags: {
    author: { kind: "string", short: "a", help: 'Author, such as "John Hannibal Smith <hannibal@a-team.com>"' },
    change: changeFlag,
    message: { kind: "string", short: "m", help: "Commit message" },
    pause: { kind: "bool", short: "p", help: "Pause the container meanwhile (default true, where it can be paused)" },
  },
  args: { min: 1, max: 2 },
  failureExitCode: 1,
  async run({ flags, args: [name = "", reference], io, openStore }) {
    const { containers } = await openStore();
    const { id, warnings } = await containers.commit(name, { ...readCommit(flags, reference), signal: io.signal });
    for (const warning of warnings) io.stderr.print(`WARNING: ${warning}\n`);
    io.stdout.print(`${id}\n`);
  },
});

/** What an image is made with, by the flags of `commit`. */
export function readCommit(
  { change, author, message, pause }: FlagValues<typeof commit.flags>,
  reference: string | undefined,
): Omit<CommitOptions, "signal"> {
  return {
    changes: change,
    ...optional("name", reference),
    ...optional("author", author),
    ...optional("message", message),
    ...optional("pause", pause),
  };
}

export const exportFiles = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  flags: { output: { kind: "string", short: "o", help: "Write to a file, instead of STDOUT" } },
  args: { min: 1, max: 1 },
  failureExitCode: 1,
  async run({ flags, args: [name = ""], io, openStore }) {
    if (flags.output === undefined && io.stdout.isTerminal)
      throw new VarveError("USAGE", "cowardly refusing to save to a terminal. Use the -o flag or redirect");
    const { containers } = await openStore();
    // that it is not there is said before a file is made
    const { id } = await containers.get(name);
    const archive = containers.export(id, { signal: io.signal });
    if (flags.output === undefined) {
      for await (const chunk of archive) await io.stdout.write(chunk);
      return;
    }
    const path = resolve(io.cwd, flags.output);
    const folder = dirname(path);
    if (!existsSync(folder))
      throw new VarveError(
        "FILE_UNWRITABLE",
        `failed to export container: invalid output path: stat ${folder}: no such file or directory`,
      );
    const file = await createFileAside(path);
    try {
      for await (const chunk of archive) await file.write(chunk);
      await file.commit();
    } finally {
      await file.close();
    }
  },
});

export const importFiles = defineCommand({
  usage: "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
  flags: {
    change: changeFlag,
    message: { kind: "string", short: "m", help: "Set the commit message of the image" },
    platform: { kind: "string", help: "What the image is for" },
  },
  args: { min: 1, max: 2 },
  failureExitCode: 1,
  async run({ flags, args: [from = "", reference], io, openStore }) {
    const isUrl = /^https?:\/\//i.test(from);
    const source = isUrl ? { url: from } : from === "-" ? io.stdin.chunks() : readArchive(resolve(io.cwd, from), from);
    const { images } = await openStore();
    const id = await images.import(source, {
      changes: flags.change,
      ...optional("name", reference),
      ...optional("message", flags.message),
      ...optional("platform", flags.platform),
      signal: io.signal,
    });
    io.stdout.print(`${id}\n`);
  },
});

async function* readArchive(path: string, given: string): AsyncGenerator<Uint8Array> {
  const stream = createReadStream(path, { highWaterMark: 1024 * 1024 });
  try {
    yield* stream as AsyncIterable<Uint8Array>;
  } catch (cause) {
    if (!(cause instanceof Error) || !("syscall" in cause)) throw cause;
    const why = "code" in cause && cause.code === "ENOENT" ? "no such file or directory" : cause.message;
    throw new VarveError("FILE_UNREADABLE", `open ${given}: ${why}`, { cause });
  }
}
