import { resolve } from "node:path";
import { builderArgs, parseDockerfile, type LintWarning, type ParsedDockerfile } from "../dockerfile/index.ts";
import { VarveError } from "../errors/index.ts";
import type { EventSink } from "../events/index.ts";
import type { FrontendOptions, ResolveRequest } from "../frontend/index.ts";
import type { SourceOp } from "../llb/index.ts";
import { dateOfSource } from "../ops/index.ts";
import { formatPlatform, formatReference, parsePlatform, type ImageReference, type Platform } from "../oci/index.ts";
import { nativePlatform, platformKey, readBuildPlatforms } from "./build-platforms.ts";
import { readBuildInput, type BuildInput } from "./build-input.ts";
import { fetchContext, fetchDockerfile, type FetchedContext } from "./fetch-context.ts";
import { internalStep, internalVertex } from "./internal-step.ts";
import { openContexts, type OpenContexts } from "./named-contexts.ts";
import type { Parts } from "./parts.ts";
import { openSession, type Session } from "./session.ts";
import type { BuildOptions, BuildWarning } from "./types.ts";
import { unpackContext } from "./unpack-context.ts";

/** What a build needs of its options before anything is compiled; checks and outlines need no more. */
export type InputOptions = Pick<
  BuildOptions,
  "context" | "contexts" | "dockerfile" | "target" | "buildArgs" | "platforms" | "pull" | "secrets" | "ssh"
> & {
  readonly signal: AbortSignal;
};

/** What a build reads from, with its named contexts. */
export interface OpenInput extends BuildInput {
  readonly session: Session;
  /** The context, where it was fetched. */
  readonly fetched: FetchedContext | undefined;
  readonly named: OpenContexts;
}

/** Where what happens is told. */
export interface Reporting {
  readonly emit: EventSink;
  /** `vertex`: the step that it is about. */
  readonly warn: (warning: BuildWarning, vertex?: string) => void;
}

/** Gets the context and the Dockerfile, and gives back what it unpacked once the work is done. */
export async function withBuildInput<T>(
  parts: Parts,
  options: InputOptions,
  { emit, work }: { readonly emit: EventSink; readonly work: (input: OpenInput) => Promise<T> },
): Promise<T> {
  const { context, dockerfile, signal } = options;
  signal.throwIfAborted();
  using _used = parts.leases.hold();
  await using session = openSession(options, parts);
  const fetching = { session, emit, signal };
  const unpacked = context.kind === "tar" ? await unpackContext(context.stream, parts, { signal, emit }) : undefined;
  try {
    const fetched = context.kind === "remote" ? await fetchContext(context.url, options, parts, fetching) : undefined;
    const path = unpacked?.path ?? fetched?.path ?? (context.kind === "folder" ? resolve(context.path) : undefined);
    const given = dockerfile && "url" in dockerfile ? await fetchDockerfile(dockerfile.url, parts, fetching) : dockerfile;
    const known = fetched?.dockerfile === undefined ? given : (given ?? { path: fetched.dockerfile });
    const contained = unpacked !== undefined || fetched !== undefined;
    const input = readBuildInput(path, { ...(known === undefined ? {} : { dockerfile: known }), contained });
    return await work({ ...input, session, fetched, named: await openContexts(options.contexts) });
  } finally {
    if (unpacked) await unpacked.remove();
  }
}

/** Parses the Dockerfile, with the lint options of the build; lint warnings are told as they come. */
export async function loadDockerfile(
  input: BuildInput,
  { buildArgs = {}, lint = true }: Pick<InputOptions, "buildArgs"> & { readonly lint?: boolean },
  { emit, warn }: Reporting,
): Promise<ParsedDockerfile> {
  const check = lint ? (Object.hasOwn(buildArgs, builderArgs.check) ? buildArgs[builderArgs.check] : undefined) : false;
  const step = `[internal] load build definition from ${input.dockerfileName}`;
  await internalStep(step, emit, async (status) => {
    status("transferring dockerfile:", input.dockerfile.length, 0, true);
  });
  return parseDockerfile(input.dockerfile, {
    file: input.dockerfileName,
    check,
    onWarning: (warning) => warn(toBuildWarning(warning), internalVertex(step)),
  });
}

/** A lint warning as builds and checks report it. */
export function toBuildWarning({ rule, message, where, description, url }: LintWarning): BuildWarning {
  return { rule, message, where, description, ...(url === undefined ? {} : { url }) };
}

/**
 * What the frontend is told for every kind of question, about the first platform of the build. Images are asked of the store
 * and the registries, each once for a platform however often these options are used.
 */
export function frontendOptions(
  parts: Parts,
  { input, parsed, options }: { readonly input: OpenInput; readonly parsed: ParsedDockerfile; readonly options: InputOptions },
  { emit, warn }: Reporting,
): FrontendOptions {
  const { target, buildArgs, pull = false, signal } = options;
  const { wanted, isMulti } = readBuildPlatforms(options);
  const [platform] = wanted;
  return {
    linter: parsed.linter,
    ...(platform && { platform }),
    multiPlatform: isMulti,
    buildPlatform: nativePlatform(),
    supportedPlatforms: async () => {
      const { machinePlatforms } = await import("./machine-platforms.ts");
      return machinePlatforms(parts.path).map((text) => parsePlatform(text));
    },
    ...(target === undefined ? {} : { target }),
    ...(buildArgs === undefined ? {} : { buildArgs }),
    ignorePatterns: input.ignorePatterns,
    ...(input.fetched === undefined ? {} : { context: input.fetched.remote }),
    contexts: input.named.contexts,
    dateOfSource: rememberAnswers(
      ({ identifier, attrs }: SourceOp) => JSON.stringify([identifier, attrs]),
      (source, { title, signal }: { readonly title: string; readonly signal: AbortSignal }) =>
        internalStep(title, emit, async () => {
          const { secrets, agents, pins } = input.session;
          const { httpSource: http, gitSource: git, content } = parts;
          return await dateOfSource(source, { http, git, content, pins, secrets, agents, signal });
        }),
    ),
    resolveImage: rememberAnswers(
      (reference: ImageReference, { platform, context = "", layout = "" }: ResolveRequest) =>
        JSON.stringify([formatReference(reference), platformKey(platform), context, layout]),
      (reference, { platform, context, layout, where }) =>
        internalStep(titleOf(reference, context, isMulti ? platform : undefined), emit, async () => {
          try {
            const onWarning = (message: string): void => warn({ rule: "RegistryUnreachable", message });
            const origin = layout === undefined ? undefined : input.named.layouts.get(layout);
            const resolving = { platform, pull, signal, onWarning, ...(origin && { origin }) };
            const image = await parts.imageSource.resolve(reference, resolving);
            return { reference: image.reference, digest: image.digest, config: image.config };
          } catch (error) {
            throw error instanceof VarveError ? error.at(where) : error;
          }
        }),
    ),
  };
}

/** What is asked again is not looked up again: platforms that are compiled at once ask the same of stages that they share. */
function rememberAnswers<Subject, Request, Answer>(
  keyOf: (subject: Subject, request: Request) => string,
  ask: (subject: Subject, request: Request) => Promise<Answer>,
): (subject: Subject, request: Request) => Promise<Answer> {
  const answers = new Map<string, Promise<Answer>>();
  return (subject, request) => {
    const key = keyOf(subject, request);
    const answer = answers.get(key) ?? ask(subject, request);
    answers.set(key, answer);
    return answer;
  };
}

/** As BuildKit names these steps (S09): with the platform where there are several. */
function titleOf(
  { domain, path, tag, digest }: ImageReference,
  context: string | undefined,
  platform: Platform | undefined,
): string {
  const name = `${domain}/${path}${digest === undefined ? `:${tag ?? "latest"}` : `@${digest}`}`;
  const place = context !== undefined ? `context ${context}` : platform ? `${formatPlatform(platform)} internal` : "internal";
  return `[${place}] load metadata for ${name}`;
}
