import {
  attestArgPrefix,
  builderArgs,
  createLinter,
  detectSyntax,
  parseLintOptions,
  type Dockerfile,
  type OnbuildInstruction,
} from "../dockerfile/index.ts";
import { isVarveError } from "../errors/index.ts";
import { normalizePlatform, type ImageConfig } from "../oci/index.ts";
import { buildArg, globalScope, proxyEnvOf, warnOfUnusedArgs } from "./args.ts";
import { resolveBases } from "./base-image.ts";
import { notSupportedYet, type Compilation } from "./compilation.ts";
import { compileStage } from "./compile-stage.ts";
import type { Variables } from "./environment.ts";
import { createIgnoredSources, lintDefaultBases } from "./lint.ts";
import { emitDefinition } from "./node.ts";
import { folderAsRoot, readContextNames } from "./named-contexts.ts";
import type { FrontendOptions, FrontendResult } from "./options.ts";
import { outlineOf, type Outline } from "./outline.ts";
import { addTriggers, findTarget, planStages } from "./plan.ts";
import { remoteContextSource } from "./remote-context.ts";
import { resolveSourceDate } from "./source-date.ts";
import { createContextSource } from "./source-nodes.ts";
import { listStages } from "./stage-info.ts";
import { reachableFrom, type StageState } from "./stage.ts";

/**
 * Compiles a Dockerfile to an LLB graph and an image config, as BuildKit's dockerfile.v0 frontend does. Only stages that
 * the target needs are looked at beyond their FROM. Reads nothing itself: images are asked of `options.resolveImage`.
 *
 * Errors carry the place in the Dockerfile: FRONTEND_TARGET_UNKNOWN, FRONTEND_STAGE_ORDER, FRONTEND_STAGE_CYCLE,
 * FRONTEND_VALUE_INVALID, DOCKERFILE_NOT_SUPPORTED_YET, and those of expansion, of triggers and of `resolveImage`.
 */
export async function compileDockerfile(
  dockerfile: Dockerfile,
  options: FrontendOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<FrontendResult> {
  const compilation = await createCompilation(dockerfile, options, signal);
  const earlier = compilation.linter.warnings.length;
  const { target, reachable } = await compileStages(compilation);
  const unused = warnOfUnusedArgs(compilation, reachable);
  const source = {
    filename: dockerfile.file,
    data: new TextEncoder().encode(dockerfile.source),
    language: "Dockerfile",
  };
  return {
    definition: emitDefinition(target.folder === undefined ? target.root : folderAsRoot(target.folder), source),
    image: finishImage(target, compilation),
    warnings: [...compilation.linter.warnings.slice(earlier), ...(unused === undefined ? [] : [unused])],
    targetStage: { index: compilation.stages.indexOf(target), name: target.label },
    stages: listStages(dockerfile),
    externalImages: compilation.externalImages,
    epochSeconds: compilation.epoch,
  };
}

/** What a build of the target can be given (`--call=outline`). Fails as {@link compileDockerfile} does. */
export async function outlineDockerfile(
  dockerfile: Dockerfile,
  options: FrontendOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<Outline> {
  const { target } = await compileStages(await createCompilation(dockerfile, options, signal));
  return outlineOf(target);
}

/**
 * Looks at the target, or at every stage when there is none, for the linter's sake alone (`--check`). Fails as {@link
 * compileDockerfile} does; what was found before is in the linter then.
 */
export async function lintStages(
  dockerfile: Dockerfile,
  options: FrontendOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const { target = "" } = options;
  await compileStages(await createCompilation(dockerfile, options, signal), { allStages: target === "" });
}

/** Compiles the stages that the target needs, or all of them. */
async function compileStages(
  compilation: Compilation,
  { allStages = false }: { readonly allStages?: boolean } = {},
): Promise<{ readonly target: StageState; readonly reachable: ReadonlySet<StageState> }> {
  compilation.signal.throwIfAborted();
  refuseForeignSyntax(compilation);
  refuseLaterArguments(compilation);
  lintDefaults(compilation);
  planStages(compilation);
  const target = findTarget(compilation);
  const reachable = await resolveReachable(target, { compilation, allStages });
  // By index: an image that is read from stands behind the stages of the file, but is done when it is resolved
  for (const stage of compilation.stages)
    if ((allStages || reachable.has(stage)) && !stage.isDone) compileStage(stage, compilation);
  compilation.linter.refuse();
  return { target, reachable };
}

async function createCompilation(dockerfile: Dockerfile, options: FrontendOptions, signal: AbortSignal): Promise<Compilation> {
  const { buildPlatform } = options;
  const targetPlatform = options.platform ?? buildPlatform;
  const targetName = options.target === undefined || options.target === "" ? dockerfile.stages.at(-1)?.from.name : options.target;
  const given = { buildArgs: options.buildArgs ?? {}, buildPlatform, targetPlatform, targetName };
  const { variables, args: globalArgs } = globalScope(dockerfile, given);
  const namedContexts = readContextNames(options.contexts ?? {});
  const dating = { dockerfile, options, scope: given, globals: variables, namedContexts, signal };
  const { epoch, scope, globals } = await resolveSourceDate(dating);
  const { buildArgs } = scope;
  const { check = "" } = dockerfile;
  const linter = options.linter ?? createLinter(parseLintOptions(check.split(" ")[0] ?? "", { name: "check options" }));
  return {
    dockerfile,
    options,
    buildArgs,
    targetPlatform,
    scope,
    globals,
    globalArgs,
    proxyEnv: proxyEnvOf(buildArgs),
    epoch,
    context:
      options.context === undefined
        ? createContextSource({ name: options.contextName ?? "context", ignorePatterns: options.ignorePatterns ?? [] })
        : remoteContextSource(options.context),
    namedContexts,
    namedFolders: new Map(),
    stages: [],
    stagesByName: new Map(),
    resolutions: new Map(),
    externalImages: [],
    linter,
    ignoredSources: createIgnoredSources(options.ignorePatterns ?? []),
    signal,
  };
}

/** Looks at the bases as they are without build arguments; at none where a default cannot be expanded then. */
function lintDefaults({ dockerfile, scope, linter }: Compilation): void {
  const { escape, stages } = dockerfile;
  let defaults: Variables;
  try {
    defaults = globalScope(dockerfile, { ...scope, defaultsOnly: true }).variables;
  } catch (error) {
    if (isVarveError(error)) return;
    throw error;
  }
  lintDefaultBases(stages, { defaults, escape, linter });
}

/** Frontends other than docker/dockerfile would have to be run as images (D06). BUILDKIT_SYNTAX beats the directive (D05). */
function refuseForeignSyntax({ dockerfile, buildArgs }: Compilation): void {
  const given = buildArg(buildArgs, builderArgs.syntax);
  const request = given === undefined || given === "" ? detectSyntax(dockerfile.source, { file: dockerfile.file }) : undefined;
  const reference = (given === undefined || given === "" ? request?.reference : given.split(" ")[0]) ?? "";
  if (reference === "" || reference === "dockerfile.v0") return;
  if (/^(?:(?:index\.)?docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@].*)?$/.test(reference)) return;
  throw notSupportedYet(`the frontend ${JSON.stringify(reference)}`, request?.where);
}

/** What these build arguments ask for comes later; until then they are refused, as they would be without effect. */
function refuseLaterArguments({ buildArgs }: Compilation): void {
  const { sbomScanContext, sbomScanStage } = builderArgs;
  const later: ReadonlySet<string> = new Set([sbomScanContext, sbomScanStage]);
  for (const [name, value] of Object.entries(buildArgs)) {
    const isOff = ["", "0", "false"].includes(value.toLowerCase());
    if (!isOff && (later.has(name) || name.startsWith(attestArgPrefix)))
      throw notSupportedYet(`the build argument ${name}`, undefined);
  }
}

/** Resolves bases until their ONBUILD triggers name no more stages and images (I17). */
async function resolveReachable(
  target: StageState,
  { compilation, allStages }: { readonly compilation: Compilation; readonly allStages: boolean },
): Promise<Set<StageState>> {
  for (;;) {
    const reachable = reachableFrom(target);
    await resolveBases(allStages ? compilation.stages : reachable, compilation);
    for (const stage of reachable) {
      if (stage.hasTriggers || stage.from === undefined) continue;
      stage.hasTriggers = true;
      const triggers = stage.base === undefined ? (stage.image.config.OnBuild ?? []) : triggersOf(stage.base);
      if (triggers.length > 0) addTriggers(stage, triggers, compilation);
    }
    const after = reachableFrom(target);
    if (after.size === reachable.size) return after;
  }
}

function triggersOf(base: StageState): string[] {
  return base.commands
    .map(({ instruction }) => instruction)
    .filter((instruction): instruction is OnbuildInstruction => instruction.kind === "onbuild")
    .map(({ trigger }) => trigger);
}

/** Labels from the command line, and the platform, which is the one that was asked for. */
function finishImage(target: StageState, { options }: Compilation): ImageConfig {
  const { image } = target;
  const { labels = {}, platform } = options;
  if (Object.keys(labels).length > 0)
    image.config.Labels = Object.fromEntries([...Object.entries(image.config.Labels ?? {}), ...Object.entries(labels)]);
  if (platform !== undefined) {
    const isSame = platform.os === image.os && platform.architecture === image.architecture;
    image.os = platform.os;
    image.architecture = platform.architecture;
    if (platform.variant !== undefined || !isSame) image.variant = platform.variant ?? "";
    if (platform.osVersion !== undefined || !isSame) image["os.version"] = platform.osVersion ?? "";
  }
  const { os, architecture, variant } = normalizePlatform({
    os: image.os,
    architecture: image.architecture,
    ...(image.variant === undefined || image.variant === "" ? {} : { variant: image.variant }),
  });
  const { variant: _variant, history: _history, ...rest } = image;
  const result: ImageConfig = {
    ...rest,
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    history: target.history,
  };
  if (result["os.version"] === "") delete result["os.version"];
  return result;
}
