import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { VarveError } from "../../errors/index.ts";
import type { BuildResult } from "../../engine/index.ts";
import type { WarningEvent } from "../../events/index.ts";
import { readCallFunction } from "../build/call.ts";
import { buildFlags } from "../build/flags.ts";
import { readBuildOptions, readProgressMode, type BuildCall } from "../build/options.ts";
import { formatMetadata, formatWarnings } from "../build/report.ts";
import { placeResults } from "../builders/place-results.ts";
import { defineCommand } from "../command.ts";
import { writeFileAside } from "../file-aside.ts";
import { useColors } from "../print-error.ts";
import { createProgress } from "../progress/create-progress.ts";
import { follow, watch } from "../progress/watch.ts";

export const build = defineCommand({
  usage: "[OPTIONS] PATH | URL | -",
  flags: buildFlags,
  args: { min: 1, max: 1 },
  async run(call) {
    const { flags, io } = call;
    const { mode, printId } = readProgressMode(call);
    const asked = readCallFunction(call);
    if (asked !== undefined) {
      const { runCall } = await import("../build/run-call.ts");
      return await runCall(asked, { call, options: await readBuildOptions(call), progress: createProgress(mode, io) });
    }
    if (flags.iidfile !== undefined) await removeStale(resolve(io.cwd, flags.iidfile));
    const options = await readBuildOptions(call);
    const store = await call.openStore();
    const placed = await placeResults(options, call);
    if (placed.warning !== undefined) io.stderr.print(`WARNING: ${placed.warning}\n`);
    const warnings: WarningEvent[] = [];
    let result: BuildResult;
    try {
      result = await watch(createProgress(mode, io), io, async (onEvent) =>
        placed.around(() =>
          follow(store.build(placed.options), (event) => {
            if (event.type === "warning") warnings.push(event);
            onEvent(event);
          }),
        ),
      );
    } finally {
      // a build that fails may have been warned; one that was stopped just ends
      if ((mode === "plain" || mode === "tty") && !io.signal.aborted)
        io.stderr.print(formatWarnings(warnings, { debug: call.debug, colors: useColors(io) }));
    }
    if (mode === "plain" || mode === "tty") {
      const { printSummary } = await import("../build/summary.ts");
      await printSummary(result, store.history, io);
    }
    const stdoutIsTaken = options.outputs?.some((output) => "dest" in output && typeof output.dest === "function") ?? false;
    if (printId && result.imageId !== undefined && !stdoutIsTaken) io.stdout.print(`${result.imageId}\n`);
    await writeFiles(result, call);
    return 0;
  },
});

/** A file from an earlier build must not be taken for this one's, should this one fail. */
async function removeStale(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (cause) {
    throw new VarveError("FILE_UNWRITABLE", `cannot remove the old ${path}`, { cause });
  }
}

async function writeFiles({ imageId, metadata }: BuildResult, { flags, io }: BuildCall): Promise<void> {
  if (flags.iidfile !== undefined) await writeFileAside(resolve(io.cwd, flags.iidfile), imageId ?? "");
  const file = flags["metadata-file"];
  if (file !== undefined) await writeFileAside(resolve(io.cwd, file), formatMetadata(metadata));
}
