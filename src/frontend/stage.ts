import type { FromInstruction, Instruction } from "../dockerfile/index.ts";
import type { SourceRange } from "../errors/index.ts";
import type { ContainerConfig, ImageConfig, Platform } from "../oci/index.ts";
import type { Variables } from "./environment.ts";
import type { Output } from "./node.ts";
import type { ContextSource } from "./source-nodes.ts";
import type { FoundContext } from "./named-contexts.ts";
import { createStageOutline, type StageOutline } from "./outline.ts";

/** An instruction with the stages and images that it reads from. */
export interface Command {
  readonly instruction: Instruction;
  /** COPY --from, or one entry per `--mount` of RUN (undefined without `from`). */
  readonly sources: readonly (StageState | undefined)[];
  /** It came from ONBUILD of the base. */
  readonly isTrigger: boolean;
}

/**
 * A stage while it is compiled: what is known of it, and the file system, environment and image config that its
 * instructions have made so far. An image that is only read from (`--from=image`) is a stage without instructions.
 */
export interface StageState {
  /** Undefined for an image that is only read from. */
  readonly from: FromInstruction | undefined;
  readonly where: SourceRange;
  readonly isIgnoringCache: boolean;
  /** The image, `scratch` or stage that FROM names, expanded. */
  readonly baseName: string;
  /** The stage that it is based on, when it is one of this file. */
  readonly base: StageState | undefined;
  /** A named context that stands in for it, by the name of the stage. */
  readonly replacement: FoundContext | undefined;
  /** The folder that its root is, as long as nothing is written into it: a context that stands in for it or for its base. */
  folder: ContextSource | undefined;
  /** As progress shows it; empty when the file has but one stage. */
  label: string;
  commands: Command[];
  /** Stages and images that are read from, with the instruction that does. */
  readonly dependencies: Map<StageState, Instruction>;

  /** From `FROM --platform`, then from the base. */
  platform: Platform | undefined;
  /** The platform of the root's commands; undefined for roots from scratch: the target's. */
  rootPlatform: Platform | undefined;
  isResolved: boolean;
  hasTriggers: boolean;
  /** Its result may be read: everything in it is compiled. */
  isDone: boolean;

  root: Output | undefined;
  variables: Variables;
  directory: string;
  user: string;
  image: ImageConfig & { config: ContainerConfig };
  history: NonNullable<ImageConfig["history"]>;
  declaredArgs: readonly { readonly name: string; readonly value: string | undefined }[];
  hasCommand: boolean;
  /** The image that it starts from was not looked at: see `ResolvedImage.isGuess`. */
  isBaseGuessed: boolean;
  /** A WORKDIR stands in it, or in a stage that it is based on. */
  hasWorkdir: boolean;
  /** The last CMD, ENTRYPOINT and HEALTHCHECK so far. */
  readonly lastOfKind: Map<Instruction["kind"], Instruction>;
  readonly outline: StageOutline;
  stepCount: number;
  stepIndex: number;
}

/** What a stage starts from before its base is known. */
export function createStage(
  known: Pick<StageState, "from" | "where" | "baseName" | "base" | "label" | "platform"> & {
    readonly isIgnoringCache?: boolean;
    readonly replacement?: FoundContext | undefined;
    readonly outline?: StageOutline;
  },
): StageState {
  return {
    isIgnoringCache: false,
    replacement: undefined,
    folder: undefined,
    outline: createStageOutline(new Map()),
    ...known,
    commands: [],
    dependencies: new Map(),
    rootPlatform: undefined,
    isResolved: false,
    hasTriggers: false,
    isDone: false,
    root: undefined,
    variables: new Map(),
    directory: "/",
    user: "",
    image: { architecture: "", os: "", config: {}, rootfs: { type: "layers", diff_ids: [] } },
    history: [],
    declaredArgs: [],
    hasCommand: false,
    isBaseGuessed: false,
    hasWorkdir: false,
    lastOfKind: new Map(),
    stepCount: 0,
    stepIndex: 0,
  };
}

/** The stages that a stage needs, itself included. */
export function reachableFrom(target: StageState): Set<StageState> {
  const found = new Set([target]);
  for (const stage of found) {
    if (stage.base !== undefined) found.add(stage.base);
    for (const dependency of stage.dependencies.keys()) found.add(dependency);
  }
  return found;
}
