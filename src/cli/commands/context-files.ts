import type { ContextFile, ContextFiles } from "../../engine/index.ts";
import { VarveError } from "../../errors/index.ts";
import { readBuildInput } from "../build/context.ts";
import { parsePairs } from "../build/values.ts";
import { defineCommand } from "../command.ts";
import { formatSize } from "../format/sizes.ts";
import { formatTable } from "../format/table.ts";
import { nonEmpty, optional } from "../store.ts";

export const contextFiles = defineCommand({
  usage: "[OPTIONS] [PATH | -]",
  flags: {
    "build-arg": { kind: "list", help: "Set build-time variables, as the build would" },
    excluded: { kind: "bool", help: "List what the ignore file leaves out instead, with the rules that do" },
    explain: { kind: "bool", help: "List everything, also what no step reads and what is left out, with the rules that decided" },
    file: { kind: "string", short: "f", help: 'Name of the Dockerfile (default: "PATH/Dockerfile")' },
    format: { kind: "string", help: 'Format of the output: "table" or "json"' },
    platform: { kind: "csv", help: "Platform of the build" },
    target: { kind: "string", help: "The stage whose steps are asked" },
  },
  args: { min: 0, max: 1 },
  async run({ flags, args, io, openStore }) {
    const format = flags.format ?? "table";
    if (format !== "table" && format !== "json")
      throw new VarveError("USAGE", `invalid format: ${format}`, { hint: "there are table and json" });
    const store = await openStore();
    const listed = await store.contextFiles({
      ...(await readBuildInput(args[0] ?? ".", nonEmpty(flags.file), io)),
      buildArgs: parsePairs(flags["build-arg"], { flag: "--build-arg", bare: (key) => io.env[key] }),
      excluded: flags.explain === true || flags.excluded === true,
      signal: io.signal,
      ...optional("target", nonEmpty(flags.target)),
      ...optional("platforms", flags.platform.length === 0 ? undefined : flags.platform),
    });
    const wanted = (file: ContextFile): boolean =>
      flags.explain === true || file.state === (flags.excluded === true ? "excluded" : "read");
    const shown = { ...listed, files: listed.files.filter(wanted) };
    if (format === "json") io.stdout.print(`${JSON.stringify(shown, null, 2)}\n`);
    else io.stdout.print(formatContextFiles(shown, { rules: flags.explain === true || flags.excluded === true }));
    for (const name of listed.unknownImages)
      io.stderr.print(`WARNING: ${name} could not be had: what its ONBUILD instructions read is not known\n`);
  },
});

const maxFolders = 10;

/** The files, then the folders that weigh most, then the totals. */
export function formatContextFiles(
  { files, folders, totals, ignoreFile }: ContextFiles,
  options: { readonly rules: boolean },
): string {
  const parts: string[] = [];
  if (options.rules) {
    const rows = files.map((file) => [
      formatSize(file.sizeBytes),
      file.state,
      ruleText(file, ignoreFile),
      file.path,
      readers(file),
    ]);
    parts.push(formatTable(["SIZE", "STATE", "RULE", "PATH", "READ BY"], rows));
  } else {
    parts.push(
      formatTable(
        ["SIZE", "PATH", "READ BY"],
        files.map((file) => [formatSize(file.sizeBytes), file.path, readers(file)]),
      ),
    );
  }
  if (folders.length > 0 && files.some(({ state }) => state === "read")) {
    const rows = folders
      .slice(0, maxFolders)
      .map(({ path, files: count, sizeBytes }) => [formatSize(sizeBytes), String(count), path]);
    parts.push(formatTable(["SIZE", "FILES", "FOLDER"], rows));
  }
  const { read, unread, excluded } = totals;
  const sum = (name: string, total: typeof read): string =>
    `${name}: ${total.files} ${total.files === 1 ? "file" : "files"}, ${formatSize(total.sizeBytes)}`;
  parts.push(
    `${[sum("read", read), sum("not read by any step", unread), ...(options.rules ? [sum("excluded", excluded)] : [])].join("; ")}\n`,
  );
  return parts.join("\n");
}

function ruleText({ rule }: ContextFile, ignoreFile: string | undefined): string {
  return rule === undefined ? "-" : `${rule.pattern} (${ignoreFile ?? ".dockerignore"}:${rule.line})`;
}

function readers({ steps }: ContextFile): string {
  return steps.map(({ name, line }) => (line === undefined ? name : `${line}: ${name}`)).join(", ") || "-";
}
