import { hash } from "node:crypto";
import { resolve } from "node:path";
import { builderArgs, type Dockerfile } from "../dockerfile/index.ts";
import { VarveError } from "../errors/index.ts";
import type { StepReason } from "../events/index.ts";
import {
  describeStep,
  explainSteps,
  reasonLine,
  shortenDigests,
  type FileList,
  type SolvedFacts,
  type Trace,
} from "../explain/index.ts";
import type { MergedGraph, Vertex } from "../llb/index.ts";
import type { ContentObserver } from "../ops/index.ts";
import type { KeyFacts, RunCause } from "../solver/index.ts";
import { packText, type SavedTrace } from "../traces/index.ts";
import type { BuildInput } from "./build-input.ts";
import type { Parts } from "./parts.ts";
import type { BuildOptions } from "./types.ts";

/** Says why the steps of one build run, and remembers the build for the next one. */
export interface BuildExplainer {
  readonly contents: ContentObserver;
  readonly onKey: (facts: KeyFacts) => void;
  /** Finds the reason. Throws CACHE_REQUIRED for a step that may not run. */
  readonly beforeRun: (vertex: string, cause: RunCause) => void;
  /** Where one stage must be cached: throws CACHE_REQUIRED for a step of it before anything runs that it is made from. */
  readonly beforeInputs?: (vertex: string, cause: RunCause) => void;
  /** The reason as far as it is known; undefined for steps that do not run. */
  readonly reasonOf: (vertex: string) => StepReason | undefined;
  /** Keeps the lists of the files that were read, for the next build. Returns the reason where that made it more exact. */
  readonly keepFiles: (vertex: string) => StepReason | undefined;
  readonly ended: (vertex: string, outcome: "done" | "failed") => void;
  /** Remembers the build; to be called once, whether it succeeded or not. */
  readonly save: () => void;
}

interface Explained {
  readonly graph: MergedGraph;
  readonly dockerfile: Dockerfile;
  readonly input: Pick<BuildInput, "contextPath" | "dockerfilePath" | "dockerfileName">;
  readonly options: Pick<BuildOptions, "context" | "buildArgs" | "platforms" | "target" | "noCache" | "requireCached">;
}

/** Explains a build against the last one of the same Dockerfile and context. Reads and writes nothing while all is cached. */
export function explainBuild({ traces, cache }: Pick<Parts, "traces" | "cache">, explained: Explained): BuildExplainer {
  const { graph, dockerfile, input, options } = explained;
  requireStage(options.requireCached, dockerfile);
  const line = lineOf(options.context, input);
  const variant = variantOf(options);
  const parts = new Map<string, readonly string[]>();
  const lists = new Map<string, { readonly text: string; readonly isEntries: boolean }>();
  let waitingLength = 0;
  const solved = new Map<string, SolvedFacts>();
  const folderSources = new Set<string>([...graph.vertices.values()].filter(isFolder).map(({ digest }) => digest));
  const reasons = new Map<string, StepReason>();
  let saved: SavedTrace | undefined;
  let isLooked = false;
  let isOver = false;
  const find = (): SavedTrace | undefined => {
    if (!isLooked) saved = traces.find(line, variant);
    isLooked = true;
    return saved;
  };
  const explainer = explainSteps({
    now: () => traceOf(graph, dockerfile, options),
    before() {
      const found = find();
      return found && traces.read(found);
    },
    listing: (digest) => (digest === "missing" ? noFiles : traces.files(digest)),
    entries: (digest) => traces.entries(digest),
    goneSince: (key) => cache.goneSince(key),
    noCacheByStage: Array.isArray(options.noCache),
  });

  /** Keeps what was listed so far, for this build's own explanations and for the next one's. */
  function keepLists(): void {
    const fresh = [...lists].filter(([digest]) => !traces.has(digest));
    lists.clear();
    waitingLength = 0;
    traces.saveLists(
      fresh.map(([digest, { text, isEntries }]) => [digest, packText(isEntries ? shortenDigests(text) : text)] as const),
    );
  }

  function list(digest: string, text: string, { isEntries = false } = {}): void {
    lists.set(digest, { text, isEntries });
    waitingLength += text.length;
  }

  const isVague = (reason: StepReason | undefined): boolean => reason?.kind === "files-changed" && reason.count === undefined;

  function keepFiles(vertex: string): StepReason | undefined {
    if (isOver || !reasons.has(vertex)) return undefined;
    keepLists();
    if (!isVague(reasons.get(vertex))) return undefined;
    const reason = explainer.again(vertex);
    if (reason === undefined || isVague(reason)) return undefined;
    reasons.set(vertex, reason);
    return reason;
  }

  function beforeRun(vertex: string, cause: RunCause): void {
    // a folder of the user's "runs" in every build, also where all else is cached
    if (folderSources.has(vertex)) return;
    // few lists are kept at once; many while the worker works
    if (waitingLength <= maxWaitingLength) keepLists();
    const reason = explainer.starts(vertex, cause);
    if (reason === undefined) return;
    reasons.set(vertex, reason);
    const name = requiredStep(explained, vertex);
    if (name === undefined) return;
    const exact = keepFiles(vertex) ?? reason;
    throw new VarveError("CACHE_REQUIRED", `${name} is not cached: ${reasonLine(exact)}`, {
      hint: "without --require-cached the step would run",
      details: { vertex, name, reason: exact },
    });
  }

  return {
    // where all must be cached, the first step that would run is the one to tell of
    ...(typeof options.requireCached === "string" && {
      beforeInputs(vertex, cause) {
        if (requiredStep(explained, vertex) !== undefined) beforeRun(vertex, cause);
      },
    }),
    beforeRun,
    contents: {
      onParts: (digest, of) => void parts.set(digest, of),
      onList: (digest, text) => text !== undefined && list(digest, text),
      onEntries: (digest, text) => list(digest, text, { isEntries: true }),
      onPacked: (digest, packed) => traces.saveLists([[digest, packed]]),
    },
    onKey(facts) {
      const contents = facts.contents.map((digest) => (digest === undefined ? undefined : (parts.get(digest) ?? [digest])));
      const known = { ...facts, contents };
      solved.set(facts.vertex, known);
      explainer.solved(known);
    },
    reasonOf: (vertex) => reasons.get(vertex),
    keepFiles,
    ended: (vertex, outcome) => explainer.ended(vertex, outcome),
    save() {
      isOver = true;
      keepLists();
      const found = find();
      const state = explainer.state();
      // a refusal says nothing about the steps that it kept from running
      if (options.requireCached !== undefined || (found?.isSameVariant === true && found.state === state)) return;
      const trace = explainer.trace();
      if (trace.steps.length <= maxSteps) traces.save(line, variant, state, trace);
    },
  };
}

function isFolder({ op }: Vertex): boolean {
  return op.kind === "source" && op.source.identifier.startsWith("local://");
}

const noFiles: FileList = { files: [], folders: new Map() };

/** As much text of lists is kept before a step is told to start: 512 KiB. */
const maxWaitingLength = 512 * 1024;

/** Of builds with more steps nothing is remembered: 10,000. */
const maxSteps = 10_000;

/** The step's name, where it may not run. */
function requiredStep(
  { graph, dockerfile, options: { requireCached: required } }: Explained,
  digest: string,
): string | undefined {
  if (required === undefined) return undefined;
  const vertex = [...graph.vertices.values()].find((each) => each.digest === digest);
  const step = vertex && describeStep(vertex, graph.sources);
  if (step === undefined) return undefined;
  // the only stage of a file has no label
  const label = step.place?.stage.replace(/^[^ /]+\/[^ ]+(?: |$)/, "");
  const stage = label === "" ? (dockerfile.stages[0]?.from.name ?? "stage-0") : label;
  return required === true || stage === required.toLowerCase() ? step.name : undefined;
}

/** A stage that the Dockerfile does not have is never cached: a misspelt name must not pass. */
function requireStage(required: BuildOptions["requireCached"], dockerfile: Dockerfile): void {
  if (required === undefined || required === true) return;
  const names = stagesOf(dockerfile);
  if (names.includes(required.toLowerCase())) return;
  throw new VarveError("FRONTEND_TARGET_UNKNOWN", `the stage "${required}" of --require-cached could not be found`, {
    hint: `the stages are ${names.join(", ")}`,
  });
}

function stagesOf({ stages }: Dockerfile): string[] {
  return stages.map(({ from, index }) => from.name ?? `stage-${index}`);
}

/** Builds of one line are compared with each other: the same Dockerfile and the same context. */
function lineOf(context: BuildOptions["context"], input: Explained["input"]): string {
  const place = context.kind === "remote" ? context.url : context.kind === "folder" ? resolve(context.path) : context.kind;
  const file = context.kind === "folder" ? (input.dockerfilePath ?? input.dockerfileName) : input.dockerfileName;
  return hash("sha256", JSON.stringify([context.kind, place, file]));
}

function variantOf({ buildArgs = {}, platforms = [], target = "" }: Explained["options"]): { args: string; target: string } {
  const args = Object.entries(buildArgs).sort(([a], [b]) => (a < b ? -1 : 1));
  return { args: hash("sha256", JSON.stringify([args, platforms])).slice(0, 16), target };
}

/** The steps as the graph has them. */
function traceOf(graph: MergedGraph, dockerfile: Dockerfile, { buildArgs = {} }: Pick<BuildOptions, "buildArgs">): Trace {
  const indices = new Map([...graph.vertices.keys()].map((digest, index) => [digest, index]));
  const steps = [...graph.vertices.values()].map((vertex) => ({
    ...describeStep(vertex, graph.sources),
    inputs: vertex.op.inputs.map((input) => ({ step: indices.get(input.digest) ?? 0, whole: true })),
  }));
  const stages = stagesOf(dockerfile);
  const args: Record<string, string> = {};
  const env = new Set<string>();
  const declared = [...dockerfile.globalArgs, ...dockerfile.stages.flatMap(({ instructions }) => instructions)];
  for (const instruction of declared) {
    if (instruction.kind === "arg") for (const { name, value = "" } of instruction.args) args[name] ??= value;
    if (instruction.kind === "env") for (const { key } of instruction.pairs) env.add(key);
  }
  for (const [name, value] of Object.entries(buildArgs)) if (!mayHoldPassword(name)) args[name] = value;
  return { steps, stages, args, env: [...env] };
}

/** Addresses of proxies come with user names and passwords, and are no part of any key. */
function mayHoldPassword(name: string): boolean {
  return /_proxy$/i.test(name) || name === builderArgs.syntax;
}
