import type { GitFolders } from "./git-folder-types.ts";
import type { BuildEvent, RootCause, StepReason } from "../events/index.ts";
import type { SourceRange, VarveError } from "../errors/index.ts";
import type { Containers } from "../containers/index.ts";
import type { Networks } from "../networks/index.ts";
import type { StoreVolumes } from "./container-types.ts";
import type { CacheExport, CacheImport } from "../cache-transfer/index.ts";
import type { Builders } from "./builder-types.ts";
import type { CacheMountCommands } from "./cache-mount-types.ts";
import type { ContextFiles, ContextFilesOptions } from "./context-types.ts";
import type { BuildStatus, History } from "../history/index.ts";
import type { Outline, StageInfo } from "../frontend/index.ts";
import type { Logins } from "./login-types.ts";
import type { ByteSink, Output } from "./output-types.ts";
import type { RemoteImages } from "./remote-image-types.ts";
import type { ImageTree } from "./image-tree-types.ts";
import type { Verification, VerifyOptions } from "./verify-types.ts";
import type { StoreCare } from "./store-types.ts";
import type { Entitlement } from "../ops/index.ts";
import type { AgentSource, SecretSource } from "../secrets/index.ts";
import type { Descriptor, Digest, HistoryEntry, ImageConfig, Platform } from "../oci/index.ts";

/** Where Varve keeps its state and how it reaches the outside. All fields have defaults. */
export interface VarveOptions {
  /** The store folder. Default: `/var/lib/varve` for root, `$XDG_DATA_HOME/varve` or `~/.local/share/varve` otherwise. */
  readonly root?: string;
  /** The builder to work with (see `Varve.builders`). Default: `default`, the store itself. */
  readonly builder?: string;
  /** Path of `varve.toml` (names as in buildkitd.toml). Default: `/etc/varve/varve.toml` for root, `$XDG_CONFIG_HOME/varve/varve.toml` otherwise; missing is fine. */
  readonly configPath?: string;
  /** Docker's configuration folder with `config.json`. Default `~/.docker`. */
  readonly dockerConfigDir?: string;
  /** Told what does not stop the work but should be known, each at most once: a credential helper that is not installed. */
  readonly onWarning?: (message: string) => void;
  /** OCI runtime by name or path. Default: `crun` where present, else `runc`. */
  readonly runtime?: string;
  /** Folders to look for programs in, separated by colons: the PATH. */
  readonly path?: string;
  /** `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` and their lower-case forms: the way to registries, URLs and Git repositories. */
  readonly proxyEnv?: Readonly<Record<string, string>>;
}

/** A store and what can be done with it. Many may be open in one process; several processes share one folder. */
export interface Varve extends AsyncDisposable {
  /** Builds an image. The result is a promise and an async iterable of the build's events; nothing is printed. */
  build(options: BuildOptions): BuildRun;
  /** Lints a build without building it (`docker build --check`): all stages, or those that `target` needs. */
  check(options: DescribeOptions): Promise<CheckResult>;
  /** Says what the build of a target can be given (`--call=outline`). */
  outline(options: DescribeOptions): Promise<BuildOutline>;
  /** Lists the stages that can be built (`--call=targets`). */
  targets(options: DescribeOptions): Promise<BuildTargets>;
  /** Lists the files of a context: which steps read them, and which rule of the ignore file decided. Builds nothing. */
  contextFiles(options: ContextFilesOptions): Promise<ContextFiles>;
  readonly images: Images;
  /** Images at their registries. */
  readonly remoteImages: RemoteImages;
  readonly gitFolders: GitFolders;
  /** The builders beside this store; the same ones whichever is worked with. */
  readonly builders: Builders;
  readonly logins: Logins;
  /** How much room the store takes, and what can go. */
  readonly store: StoreCare;
  readonly cacheMounts: CacheMountCommands;
  /** What runs of the images, or ran. */
  readonly containers: Containers;
  /** What they are connected by. */
  readonly networks: Networks;
  /** What outlives them. */
  readonly volumes: StoreVolumes;
  /** The builds of this store that were recorded: all that began, whatever became of them. */
  readonly history: History;
  /**
   * Why the steps of a build ran: the last one, or the one that `name` means (as in `history`). Fails with HISTORY_NOT_FOUND
   * and HISTORY_AMBIGUOUS.
   */
  explain(name?: string, options?: { readonly signal?: AbortSignal }): Promise<BuildExplanation>;
  /**
   * Builds an image again from the record of its build, without the cache, and says whether the bytes agree and where they do not.
   * Fails with HISTORY_NOT_FOUND and REBUILD_IMPOSSIBLE, and as a build does.
   */
  verify(image: Digest, options?: VerifyOptions): Promise<Verification>;
  /** Versions and facts for `varve version`. */
  version(): Promise<VersionInfo>;
  /** Ends everything under way and frees all that is held. */
  close(): Promise<void>;
}

export type * from "./output-types.ts";

export interface BuildOptions {
  readonly context: ContextInput;
  /** Default: `Dockerfile` in the context, then `dockerfile`. Of a context that is an archive or remote, `path` is a path in it. */
  readonly dockerfile?:
    | { readonly path: string }
    | { readonly url: string }
    | { readonly text: string | Uint8Array; readonly name?: string };
  /**
   * What takes the place of stages and images of these names (`docker build --build-context`): in FROM, and in `--from` of
   * COPY and RUN. Names have the form of image names; `name::os/arch` counts for one platform.
   */
  readonly contexts?: Readonly<Record<string, NamedContext>>;
  readonly target?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Image references; `latest` is added where the tag is missing. */
  readonly tags?: readonly string[];
  /** true: nothing from the cache. A list: not these stages. */
  readonly noCache?: boolean | readonly string[];
  /**
   * Fail with CACHE_REQUIRED, and say why, when a step would run; a name: when one of this stage would. Steps of stages that
   * it reads from may run before that is known.
   */
  readonly requireCached?: true | string;
  /** Ask the registry for every base image, also those in the store. */
  readonly pull?: boolean;
  /**
   * What is built for, as `--platform` takes them; several make an index, or a folder for each. Default: this machine's, or what
   * the base is for, where this machine emulates that.
   */
  readonly platforms?: readonly string[];
  readonly network?: "default" | "none" | "host";
  readonly extraHosts?: readonly { readonly host: string; readonly ip: string }[];
  readonly shmSizeBytes?: number;
  readonly ulimits?: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  /**
   * Secrets by their id, for `RUN --mount=type=secret`: the value, or a function that is asked for it at most once, when a
   * step needs it. At most 500 KiB each. They are kept in memory alone and take no part in the cache.
   */
  readonly secrets?: Readonly<Record<string, SecretSource>>;
  /** SSH agents by id (`default` for `RUN --mount=type=ssh`): the socket of one that runs, or files of private keys. */
  readonly ssh?: Readonly<Record<string, AgentSource>>;
  /** What steps may ask for beyond the sandbox. Default nothing; `network: "host"` allows `network.host`. */
  readonly allow?: readonly Entitlement[];
  /** Further caches to use, beside the store's own; those that cannot be read are left out, with a warning. */
  readonly cacheFrom?: readonly CacheImport[];
  /** Where to write the build's cache. A failure is a warning, unless the export's `ignoreError` is false. */
  readonly cacheTo?: readonly CacheExport[];
  /** Default: the image store when there are tags or not, as `docker build`. */
  readonly outputs?: readonly Output[];
  readonly signal?: AbortSignal;
}

/**
 * A folder is read in place. A tar stream (plain or compressed: gzip, bzip2, xz, zstd) is unpacked first. A URL is that of a
 * Git repository (`https://….git#REF:SUBDIR`, `git@host:path`, `github.com/org/repo` …), of an archive, or of a Dockerfile.
 */
export type ContextInput =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "tar"; readonly stream: AsyncIterable<Uint8Array> }
  | { readonly kind: "remote"; readonly url: string }
  | { readonly kind: "empty" };

/**
 * A folder, which has an ignore file of its own; an image, or `scratch`; an image of an OCI layout folder, by its digest or
 * its tag (default `latest`; of a layout with one image that one); or a URL of a Git repository or a file.
 */
export type NamedContext =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "image"; readonly reference: string }
  | { readonly kind: "oci-layout"; readonly path: string; readonly tag?: string; readonly digest?: string }
  | { readonly kind: "url"; readonly url: string };

/** Await it for the result, or iterate it for the events (both work on one run; events are kept until read). */
export interface BuildRun extends Promise<BuildResult>, AsyncIterable<BuildEvent> {
  /** The name of the build's record in `Varve.history`. */
  readonly ref: string;
}

export interface BuildResult {
  /** The name of the build's record in `Varve.history`. */
  readonly ref: string;
  /** Digest of the image config: Docker's image ID; of several platforms the index's. Absent when no image was made. */
  readonly imageId?: Digest;
  /** Sum of the image's uncompressed layers. */
  readonly sizeBytes?: number;
  /** The manifest, or the index of several platforms, where an output needed one. */
  readonly descriptor?: Descriptor;
  readonly tags: readonly string[];
  readonly warnings: readonly BuildWarning[];
  /** The steps of the graph in the order in which they were done, those from the cache too. */
  readonly steps: readonly BuildStep[];
  /** The keys of buildx's `--metadata-file`: `containerimage.digest`, `containerimage.config.digest`, `image.name` … */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A step of a build that has ended. */
export interface BuildStep {
  /** Digest of its LLB op. */
  readonly vertex: string;
  readonly name: string;
  readonly cached: boolean;
  /** Why it was not cached. Folders of the user's are read in every build and have none. */
  readonly reason?: StepReason;
}

/** Why the steps of a recorded build ran. */
export interface BuildExplanation {
  /** The build's ref in `Varve.history`. */
  readonly ref: string;
  readonly status: BuildStatus;
  readonly steps: readonly RecordedStep[];
  /** Where the work began: each cause once. */
  readonly roots: readonly RootCause[];
}

/** A step of a recorded build. Those that ran have a reason. */
export interface RecordedStep {
  readonly vertex: string;
  readonly name: string;
  readonly outcome: "cached" | "ran" | "failed" | "unfinished";
  readonly reason?: StepReason;
}

/** Something legal but doubtful. */
export interface BuildWarning {
  /** The name of a lint rule, or of another doubt. */
  readonly rule: string;
  readonly message: string;
  readonly where?: SourceRange;
  /** What the lint rule asks for, and where it is explained. */
  readonly description?: string;
  readonly url?: string;
}

/** What is asked about a build that is not run. */
export type DescribeOptions = Pick<
  BuildOptions,
  "context" | "contexts" | "dockerfile" | "target" | "buildArgs" | "platforms" | "pull" | "secrets" | "ssh" | "signal"
> & {
  readonly onEvent?: (event: BuildEvent) => void;
};

/** A Dockerfile as it was read. */
export interface DockerfileText {
  readonly file: string;
  /** Where it stands on this machine; undefined for one that came as text or in an archive. */
  readonly path?: string;
  readonly bytes: Uint8Array;
}

export interface CheckResult {
  /** Lint only, in the order in which it was found. All have a place. */
  readonly warnings: readonly BuildWarning[];
  /** Why a build would fail, as far as the Dockerfile tells. */
  readonly error?: VarveError;
  readonly source: DockerfileText;
}

export interface BuildOutline extends Outline {
  readonly source: DockerfileText;
}

export interface BuildTargets {
  readonly targets: readonly StageInfo[];
  readonly source: DockerfileText;
}

export interface Images {
  /** Newest first. */
  list(): Promise<readonly ImageSummary[]>;
  /** By reference, ID or unique prefix of an ID. Fails with IMAGE_NOT_FOUND. */
  inspect(name: string): Promise<ImageDetails>;
  /** Images with all their names and platforms, newest first. */
  tree(): Promise<readonly ImageTree[]>;
  /** The digest of the index that a name stands for; undefined for an image of one platform. */
  indexOf(name: string): Promise<Digest | undefined>;
  /** Gives an image one more name. */
  tag(source: string, target: string): Promise<void>;
  /** Removes a name, and the image when it was the last one. Returns what was done, as `docker rmi` prints it. */
  remove(
    name: string,
    options?: { readonly force?: boolean },
  ): Promise<readonly { readonly untagged?: string; readonly deleted?: string }[]>;
  /** Writes a docker archive (with an OCI layout in it) of one or more images; of a name with several platforms all, or those asked for. */
  save(
    names: readonly string[],
    sink: ByteSink,
    options?: { readonly platforms?: readonly string[]; readonly signal?: AbortSignal },
  ): Promise<void>;
  /** Takes a docker archive or OCI archive into the store. Returns the names, or IDs where there is no name. */
  load(source: AsyncIterable<Uint8Array>, options?: { readonly signal?: AbortSignal }): Promise<readonly string[]>;
  /** Makes an image with one layer: the files of a tar archive, compressed or not, or of one behind a URL. Returns its ID. */
  import(source: AsyncIterable<Uint8Array> | { readonly url: string }, options?: ImportOptions): Promise<Digest>;
  /** Gets an image from its registry, also where the store has one of that name. */
  pull(name: string, options?: PullOptions): Promise<PullResult>;
  /** Sends an image of the store to the registry that the name stands for. What goes wrong there is PUSH_FAILED. */
  push(name: string, options?: PushOptions): Promise<PushResult>;
  /** All tags that a repository has at its registry. */
  remoteTags(name: string, options?: { readonly signal?: AbortSignal }): Promise<readonly string[]>;
}

export interface ImportOptions {
  /** `latest` is added where the tag is missing. */
  readonly name?: string;
  readonly message?: string;
  /** Instructions of a Dockerfile that change the config, as those of `CommitOptions`. */
  readonly changes?: readonly string[];
  /** What it is for; default this machine's. */
  readonly platform?: string;
  readonly signal?: AbortSignal;
}

/** How far a layer on its way is. */
export interface LayerTransfer {
  /** Of the layer's blob. */
  readonly digest: Digest;
  /** Bytes. */
  readonly current: number;
  readonly total: number;
  /** `exists`: it need not be sent or fetched; `mounted`: the registry took it from another of its repositories. */
  readonly state: "waiting" | "pushing" | "pushed" | "exists" | "mounted" | "downloading" | "downloaded" | "pulled";
  /** The repository that it was mounted from. */
  readonly from?: string;
}

export interface PullOptions {
  readonly platform?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: BuildEvent) => void;
  readonly onLayer?: (layer: LayerTransfer) => void;
}

/** `platform` insists that the image is for it. */
export type PushOptions = PullOptions;

export interface PushResult {
  /** Of the manifest, as the registry has it. */
  readonly descriptor: Descriptor;
}

export interface PullResult {
  /** Canonical name with tag. */
  readonly name: string;
  readonly digest: Digest;
  /** False when the store had this very image under this name already. */
  readonly changed: boolean;
}

export interface ImageSummary {
  /** Config digest. */
  readonly id: Digest;
  /** Familiar names with tags; empty for an image without a name. */
  readonly names: readonly string[];
  /** `name@sha256:…` of the manifests known for it. */
  readonly digests: readonly string[];
  /** When this store made or got it, milliseconds since 1970. */
  readonly createdMs: number;
  /** Sum of the uncompressed layers, in bytes. */
  readonly sizeBytes: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ImageDetails extends ImageSummary {
  readonly config: ImageConfig;
  readonly platform: Platform;
  /** One for each history entry, newest first; size of the entry's layer in bytes. */
  readonly history: readonly (HistoryEntry & { readonly sizeBytes: number })[];
}

export interface VersionInfo {
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly runtime: string | undefined;
  readonly root: string;
}
