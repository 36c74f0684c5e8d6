import { VarveError } from "../errors/index.ts";
import { joinSignals } from "../flow/index.ts";
import { nearest } from "../dockerfile/index.ts";
import {
  formatPlatform,
  formatReference,
  normalizePlatform,
  parseReference,
  withDefaultTag,
  type ContainerConfig,
  type ImageConfig,
  type ImageReference,
  type Platform,
} from "../oci/index.ts";
import { linesOf, type Compilation } from "./compilation.ts";
import { lintBasePlatform } from "./lint.ts";
import { countStep, stepName } from "./naming.ts";
import { findNamedContext, loadNamedContext, type LoadedContext } from "./named-contexts.ts";
import type { ResolvedImage } from "./options.ts";
import { imageSource } from "./source-nodes.ts";
import type { StageState } from "./stage.ts";

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Resolves what the stages start from, in parallel, each image once. The first failure ends the others. */
export async function resolveBases(stages: Iterable<StageState>, compilation: Compilation): Promise<void> {
  const controller = new AbortController();
  const signal = joinSignals(compilation.signal, controller.signal);
  const work = [...stages]
    .filter((stage) => stage.base === undefined && !stage.isResolved)
    .map(async (stage) => {
      try {
        await resolveBase(stage, compilation, signal);
      } catch (error) {
        controller.abort(error);
        throw error instanceof VarveError ? error.at(stage.where) : error;
      }
    });
  const results = await Promise.allSettled(work);
  compilation.signal.throwIfAborted();
  // the others failed because the first one did
  const failures = results.filter((result) => result.status === "rejected").map((result) => result.reason as unknown);
  if (failures.length > 0) throw failures.find((failure) => failure === controller.signal.reason) ?? failures[0];
}

async function resolveBase(stage: StageState, compilation: Compilation, signal: AbortSignal): Promise<void> {
  stage.isResolved = true;
  if (stage.from === undefined || stage.replacement !== undefined) stage.isDone = true;
  if (stage.baseName === "scratch" && stage.replacement === undefined) {
    startEmpty(stage, compilation.targetPlatform);
    return;
  }
  const wanted = stage.platform ?? compilation.targetPlatform;
  if (stage.replacement !== undefined) {
    startFromContext(stage, {
      loaded: await loadNamedContext(stage.replacement, { stage, platform: wanted, compilation, signal }),
      wanted,
    });
    return;
  }
  const reference = withDefaultTag(readReference(stage, compilation));
  const context = findNamedContext(formatReference(reference), wanted, compilation.namedContexts);
  if (context !== undefined) {
    startFromContext(stage, {
      loaded: await loadNamedContext(context, { stage, platform: wanted, compilation, signal }),
      wanted,
    });
    return;
  }
  const name = formatReference(reference);
  const key = `${formatPlatform(wanted)} ${wanted.osVersion ?? ""} ${name}`;
  let answer = compilation.resolutions.get(key);
  if (answer === undefined) {
    answer = compilation.options.resolveImage(reference, {
      platform: wanted,
      stageName: stage.label === "" ? stage.baseName : stage.label,
      where: stage.where,
      signal,
    });
    compilation.resolutions.set(key, answer);
  }
  await startFrom(stage, { resolved: await answer, wanted, compilation });
}

function readReference(stage: StageState, compilation: Compilation): ImageReference {
  try {
    return parseReference(stage.baseName);
  } catch (error) {
    if (!(error instanceof VarveError)) throw error;
    const near =
      nearest(stage.baseName, compilation.stagesByName.keys(), { caseSensitive: false }) ??
      compilation.stagesByName.get(stage.baseName.toLowerCase())?.from?.name;
    const hint = near === undefined ? {} : { hint: `did you mean the stage ${near}?` };
    throw new VarveError("FRONTEND_VALUE_INVALID", `failed to parse stage name "${stage.baseName}": ${error.message}`, {
      where: stage.where,
      cause: error,
      ...hint,
    });
  }
}

/** `FROM scratch` (I20): nothing but a PATH and a working directory. The platform is the target's, whatever --platform says. */
function startEmpty(stage: StageState, platform: Platform): void {
  const { os, architecture, variant, osVersion } = platform;
  stage.platform = platform;
  stage.image = {
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    ...(osVersion === undefined ? {} : { "os.version": osVersion }),
    config: { ...(os === "windows" ? {} : { Env: [`PATH=${defaultPath}`] }), WorkingDir: "/" },
    rootfs: { type: "layers", diff_ids: [] },
  };
}

/** A stage whose base, or which itself, is a named context (X13). Without an image it begins as an empty one does. */
function startFromContext(
  stage: StageState,
  { loaded: { root, folder, image }, wanted }: { loaded: LoadedContext; wanted: Platform },
): void {
  if (image === undefined) startEmpty(stage, wanted);
  else {
    const { created: _created, history = [], "moby.buildkit.cache.v0": _cache, ...config } = structuredClone(image.config);
    stage.image = { ...config, config: config.config ?? {} };
    stage.history = history;
    stage.isBaseGuessed = image.isGuess === true;
    stage.platform = wanted;
  }
  stage.rootPlatform = normalizePlatform(wanted);
  stage.root = root;
  stage.folder = folder;
}

async function startFrom(
  stage: StageState,
  { resolved, wanted, compilation }: { resolved: ResolvedImage; wanted: Platform; compilation: Compilation },
): Promise<void> {
  const { digest, config } = resolved;
  const platform =
    stage.platform === undefined && compilation.options.platform === undefined
      ? await detectPlatform(config, wanted, compilation)
      : wanted;
  stage.platform = platform;
  stage.isBaseGuessed = resolved.isGuess === true;
  const { created: _created, history = [], "moby.buildkit.cache.v0": _cache, ...image } = structuredClone(config);
  const container: ContainerConfig = image.config ?? {};
  stage.image = { ...image, config: container };
  stage.history = history;

  const reference: ImageReference = { ...resolved.reference, digest };
  if (
    !compilation.externalImages.some(
      (known) => known.digest === digest && formatReference(known.reference) === formatReference(reference),
    )
  ) {
    compilation.externalImages.push({ reference, digest, platform });
  }
  if (config.rootfs.diff_ids.length === 0 && history.every((entry) => entry.empty_layer === true)) return;
  countStep(stage);
  const multiPlatform = compilation.options.multiPlatform ?? false;
  const name = stepName(stage, `FROM ${formatReference(reference)}`, {
    multiPlatform,
    platform,
    variables: new Map(),
    isTrigger: false,
  });
  // The source op's own platform is the one that was asked for; the image's may differ and is only worth a warning
  stage.rootPlatform = normalizePlatform(platform);
  stage.root = imageSource(reference, {
    platform: stage.rootPlatform,
    name,
    command: stage.from?.original,
    lines: stage.from === undefined ? [] : linesOf(stage.where),
  });
  const actual = {
    os: config.os,
    architecture: config.architecture,
    ...(config.variant === undefined ? {} : { variant: config.variant }),
  };
  lintBasePlatform(stage.baseName, { actual, expected: platform, linter: compilation.linter, where: stage.where });
}

/** Without a wish of the user the result follows its base, when steps of its platform can run here (S08). */
async function detectPlatform({ os, architecture }: ImageConfig, wanted: Platform, { options }: Compilation): Promise<Platform> {
  const isBase = (platform: Platform): boolean => platform.os === os && platform.architecture === architecture;
  if (isBase(wanted)) return wanted;
  const supported = (await options.supportedPlatforms?.()) ?? [options.buildPlatform];
  return supported.find(isBase) ?? wanted;
}

/** Adds a PATH where the base has none (I20). */
export function ensurePath(stage: StageState): void {
  const env = (stage.image.config.Env ??= []);
  if (stage.platform?.os !== "windows" && !env.some((entry) => entry === "PATH" || entry.startsWith("PATH=")))
    env.push(`PATH=${defaultPath}`);
}
