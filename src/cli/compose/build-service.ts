import type { Project } from "../../compose-file/index.ts";
import type { ServiceBuild } from "../../compose/index.ts";
import { buildFlags } from "../build/flags.ts";
import { readBuildOptions, type BuildCall, type ProgressMode } from "../build/options.ts";
import { parseFlags } from "../flags.ts";
import { createProgress } from "../progress/create-progress.ts";
import { follow, watch } from "../progress/watch.ts";
import type { Io } from "../io.ts";
import type { ComposeCall } from "./open-project.ts";
import { readStepMode } from "./progress-mode.ts";

/** Builds the image of a service as `varve build` would with its command line, and shows how it goes. */
export async function buildService(
  build: ServiceBuild,
  call: ComposeCall,
  { project, isQuiet }: { readonly project: Project; readonly isQuiet: boolean },
): Promise<void> {
  const parsed = await parseFlags(build.args, buildFlags);
  const buildCall: BuildCall = {
    ...call,
    flags: parsed.values,
    args: parsed.positionals,
    io: ioOfBuild(build, call.io, project),
  };
  const options = await readBuildOptions(buildCall);
  const builder = parsed.values.builder;
  const store = await call.openStore(builder === undefined ? {} : { builder });
  await watch(createProgress(isQuiet ? "quiet" : progressMode(call), call.io), call.io, (onEvent) =>
    follow(store.build(options), onEvent),
  );
}

function progressMode(call: ComposeCall): ProgressMode {
  const mode = readStepMode(call);
  return mode === "json" ? "rawjson" : mode;
}

/** The project's variables are those of its builds; `dockerfile_inline` comes through standard input. */
function ioOfBuild({ dockerfile }: ServiceBuild, io: Io, project: Project): Io {
  const env = { ...io.env, ...project.environment };
  if (dockerfile === undefined) return { ...io, env };
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.from(dockerfile));
  };
  return { ...io, env, stdin: { isTerminal: false, chunks } };
}
