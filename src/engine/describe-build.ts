import { builderArgs, parseLintOptions } from "../dockerfile/index.ts";
import { VarveError } from "../errors/index.ts";
import type { EventSink } from "../events/index.ts";
import { lintStages, listStages, outlineDockerfile } from "../frontend/index.ts";
import type { BuildInput } from "./build-input.ts";
import { frontendOptions, loadDockerfile, withBuildInput, type InputOptions } from "./compile-input.ts";
import type { Parts } from "./parts.ts";
import type { BuildOutline, BuildTargets, BuildWarning, CheckResult, DockerfileText } from "./types.ts";

const silent: EventSink = () => undefined;

type Options = InputOptions & { readonly onEvent?: EventSink };

/** Lints without building (N36): what the rules found, and the error that a build would end with, if any. */
export async function checkBuild(parts: Parts, options: Options): Promise<CheckResult> {
  const { onEvent: emit = silent, signal } = options;
  refuseOptions(options);
  const warnings: BuildWarning[] = [];
  const reporting = {
    emit,
    warn: (warning: BuildWarning): void => void (warning.where !== undefined && warnings.push(warning)),
  };
  return await withBuildInput(parts, options, {
    emit,
    async work(input) {
      const result = { warnings, source: textOf(input) };
      try {
        const parsed = await loadDockerfile(input, options, reporting);
        await lintStages(parsed.dockerfile, frontendOptions(parts, { input, parsed, options }, reporting), { signal });
        return result;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof VarveError) return { ...result, error };
        throw error;
      }
    },
  });
}

/** What a build can be given: its arguments, secrets and SSH agents. */
export async function outlineBuild(parts: Parts, options: Options): Promise<BuildOutline> {
  const { onEvent: emit = silent, signal } = options;
  const reporting = { emit, warn: () => undefined };
  return await withBuildInput(parts, options, {
    emit,
    async work(input) {
      const parsed = await loadDockerfile(input, options, reporting);
      const outline = await outlineDockerfile(parsed.dockerfile, frontendOptions(parts, { input, parsed, options }, reporting), {
        signal,
      });
      return { ...outline, source: textOf(input) };
    },
  });
}

/** The stages that can be built. Asks no registry. */
export async function listTargets(parts: Parts, options: Options): Promise<BuildTargets> {
  const { onEvent: emit = silent } = options;
  refuseOptions(options);
  return await withBuildInput(parts, options, {
    emit,
    async work(input) {
      const { dockerfile } = await loadDockerfile(input, { lint: false }, { emit, warn: () => undefined });
      return { targets: listStages(dockerfile), source: textOf(input) };
    },
  });
}

/** Wrong lint options of the build are not the Dockerfile's fault: they fail every question. */
function refuseOptions({ buildArgs = {} }: Options): void {
  parseLintOptions(buildArgs[builderArgs.check] ?? "", { name: builderArgs.check });
}

function textOf({ dockerfileName, dockerfile, dockerfilePath: path }: BuildInput): DockerfileText {
  return { file: dockerfileName, bytes: dockerfile, ...(path === undefined ? {} : { path }) };
}
