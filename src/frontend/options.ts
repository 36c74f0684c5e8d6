import type { Linter } from "../dockerfile/index.ts";
import type { SourceRange } from "../errors/index.ts";
import type { Definition, SourceOp } from "../llb/index.ts";
import type { Digest, ImageConfig, ImageReference, Platform } from "../oci/index.ts";
import type { RemoteContext } from "./remote-context.ts";

/** What the frontend is told beside the Dockerfile. */
export interface FrontendOptions {
  /** Stage name, in any letter case; default the last stage. */
  readonly target?: string;
  /** The platform of the result. Without it the result follows the build platform, or its base image (S08). */
  readonly platform?: Platform;
  /** The platform that steps run on natively. */
  readonly buildPlatform: Platform;
  /** Says which platforms steps can run on; default the build platform alone. Asked when `platform` is not given and a base is for another. */
  readonly supportedPlatforms?: () => Promise<readonly Platform[]>;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Set on the image last of all. */
  readonly labels?: Readonly<Record<string, string>>;
  /** True for all stages, or the names of the stages. */
  readonly noCache?: boolean | readonly string[];
  readonly networkMode?: "default" | "none" | "host";
  readonly extraHosts?: readonly { readonly host: string; readonly ip: string }[];
  readonly ulimits?: readonly {
    readonly name: string;
    readonly soft: number;
    readonly hard: number;
  }[];
  readonly shmSizeBytes?: number;
  readonly cgroupParent?: string;
  /** Host name of RUN steps; the build argument BUILDKIT_SANDBOX_HOSTNAME beats it. */
  readonly hostname?: string;
  /** Patterns of the ignore file: what the context leaves out. */
  readonly ignorePatterns?: readonly string[];
  /** Step names carry the platform. */
  readonly multiPlatform?: boolean;
  /** Seconds since 1970. The build argument SOURCE_DATE_EPOCH is used when this is not given. */
  readonly sourceDateEpoch?: number;
  /** Reads the date that SOURCE_DATE_EPOCH takes from a context or a stage. Absent: such a SOURCE_DATE_EPOCH is not set. */
  readonly dateOfSource?: DateOfSource;
  /** Name of the local source that is the build context; default `context`. */
  readonly contextName?: string;
  /** The build context, where it is no local source. */
  readonly context?: RemoteContext;
  /** What takes the place of stages and images, by name, or by `name::os/arch` for one platform (X13). */
  readonly contexts?: Readonly<Record<string, NamedContext>>;
  readonly resolveImage: ResolveImage;
  /** The linter that parsing began with; default one of its own, with the options of the file. */
  readonly linter?: Linter | undefined;
}

/** The date of a URL's file or a repository's commit, in seconds since 1970; undefined where it has none. `title` is the step's. */
export type DateOfSource = (
  source: SourceOp,
  options: { readonly title: string; readonly signal: AbortSignal },
) => Promise<number | undefined>;

/**
 * A named context (X08-X11): a folder, as the local source `local://SOURCE` with its own ignore patterns (G03); an image, or
 * `scratch`; an image of a layout folder, known as `layout` to `resolveImage` and to the source op (`oci.store`); or a URL.
 */
export type NamedContext =
  | { readonly kind: "local"; readonly source: string; readonly ignorePatterns: readonly string[] }
  | { readonly kind: "image"; readonly reference: string }
  | { readonly kind: "oci-layout"; readonly layout: string; readonly digest: Digest }
  | { readonly kind: "remote"; readonly url: string };

/**
 * Answers what an image's manifest digest and config are for a platform. Called once per image and platform, in
 * parallel, and only for images that the target needs (S01).
 */
export type ResolveImage = (reference: ImageReference, request: ResolveRequest) => Promise<ResolvedImage>;

export interface ResolveRequest {
  readonly platform: Platform;
  /** Where the image is used, for progress: the stage's name, or the image as written. */
  readonly stageName: string;
  /** The named context that asks. */
  readonly context?: string;
  /** The layout folder that has the image, by its name; else it is the store's or a registry's. */
  readonly layout?: string;
  readonly where: SourceRange;
  readonly signal: AbortSignal;
}

/** `reference` is what the source op names, its tag kept; usually the one asked for. */
export interface ResolvedImage {
  readonly reference: ImageReference;
  readonly digest: Digest;
  readonly config: ImageConfig;
  /** Nobody was asked: the config is a guess, and what the image may set is not known to the rules. */
  readonly isGuess?: boolean;
}

/** A doubt about the Dockerfile, by the name of BuildKit's lint rule where it has one. */
export interface FrontendWarning {
  readonly rule: string;
  readonly message: string;
  readonly where: SourceRange | undefined;
  /** What the rule asks for, and where it is explained. */
  readonly description?: string;
  readonly url?: string | undefined;
}

export interface StageInfo {
  readonly index: number;
  /** In lower case, as it counts; undefined for stages without a name. */
  readonly name: string | undefined;
  /** From the comment above FROM that begins with the stage's name (P14). */
  readonly description: string | undefined;
  readonly base: string;
  readonly platform: string | undefined;
  /** The last stage, which is built when no target is given. */
  readonly isDefault: boolean;
  /** The FROM. */
  readonly where: SourceRange;
}

export interface ExternalImage {
  /** Complete, with tag and digest. */
  readonly reference: ImageReference;
  readonly digest: Digest;
  readonly platform: Platform;
}

export interface FrontendResult {
  readonly definition: Definition;
  /** `created` is left out; `rootfs.diff_ids` are the base image's; `history` has the base's and the new entries. */
  readonly image: ImageConfig;
  /** What the rules found while compiling, and the build arguments that nothing asked for. */
  readonly warnings: readonly FrontendWarning[];
  /** `name` as progress shows it: `stage-N` for stages without one. */
  readonly targetStage: { readonly index: number; readonly name: string };
  readonly stages: readonly StageInfo[];
  /** The images that the target needs. */
  readonly externalImages: readonly ExternalImage[];
  /** What SOURCE_DATE_EPOCH came to, in seconds since 1970. */
  readonly epochSeconds: number | undefined;
}
